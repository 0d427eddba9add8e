import { childEnvironment, loadSettings } from '../../config/settings.ts';
import type { Settings } from '../../config/settings.ts';
import type { CommandContext } from '../context.ts';
import { formatFacts } from '../output.ts';
import { bringDown } from '../up/down.ts';
import { startUp } from '../up/up.ts';

export async function up(context: CommandContext): Promise<void> {
  const settings = settingsOf(context);
  const stopping = new AbortController();
  const stopped = Promise.withResolvers<void>();
  const onSignal = (): void => {
    stopping.abort();
    stopped.resolve();
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const began = performance.now();
  const running = await startUp(settings, (line) => context.say(line), stopping.signal);
  context.say(`all parts work (${((performance.now() - began) / 1000).toFixed(1)} s); Ctrl-C stops them\n`);
  const { url, tlsUrl = null, temporalUi = null, exports } = running;
  context.answer(
    { url, tlsUrl, temporalUi, exports },
    () =>
      `${formatFacts([
        ['API', url],
        ['API over TLS', tlsUrl],
        ['Temporal UI', temporalUi],
      ])}\n${exports.join('\n')}\n`,
  );
  await stopped.promise;
  context.say('stopping');
  await running.stop();
}

export async function down(context: CommandContext, endBakes: boolean): Promise<void> {
  await bringDown(settingsOf(context).dataDir, { endBakes }, (line) => context.say(line));
  context.answer({}, '');
}

/** `--data-dir` stands above the environment here too. */
function settingsOf({ options }: CommandContext): Settings {
  const { dataDir } = options;
  return loadSettings(dataDir === undefined ? undefined : childEnvironment({ BAKEHOUSE_DATA_DIR: dataDir }));
}
