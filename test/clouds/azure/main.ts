/**
 * The cloud as a process of its own, which outlives workers that are killed. Prints one line of JSON (`AzureAddress`) when it is ready,
 * and ends with SIGTERM; with `--until-input-ends` also with whoever holds its input.
 *
 *   node test/clouds/azure/main.ts --port 0 --options '{"subscriptionIds": ["…"]}'
 */
import { parseArgs } from 'node:util';
import { startAzure } from './start.ts';
import type { AzureOptions } from './start.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    options: { type: 'string' },
    'until-input-ends': { type: 'boolean' },
  },
});
const options: AzureOptions = JSON.parse(values.options ?? '{}');
const cloud = await startAzure({
  ...options,
  ...(values.port !== undefined && { port: Number(values.port) }),
});
process.stdout.write(`${JSON.stringify(cloud.address)}\n`);
const stop = (): void => {
  void cloud.stop().then(() => process.exit(0));
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
if (values['until-input-ends'] === true) process.stdin.on('end', stop).resume();
