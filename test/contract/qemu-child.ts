/** One call to the provider in a process of its own, to be killed: `qemu-child.ts <store> collect|launch <input as JSON>`. */
import { isFailure } from '../../src/domain/failure.ts';
import { openProvider } from './qemu-fixture.ts';

const [store = '', call, json = '{}'] = process.argv.slice(2);
const provider = openProvider(store);
const context = { signal: new AbortController().signal, beat: () => undefined };
const input = JSON.parse(json);

try {
  const value =
    call === 'collect'
      ? await provider.images.collect({ ...input, stillCurrent: () => Promise.resolve(true) }, context)
      : await provider.machines.launch(input, context);
  process.stdout.write(JSON.stringify({ value }));
} catch (error) {
  if (!isFailure(error)) throw error;
  process.stdout.write(JSON.stringify({ failure: { code: error.code, message: error.message } }));
}
