/** A process of Bakehouse under a terminal, `up` or a container: settings, logger, signals, exit. */
import { flushCompileCache } from 'node:module';

import { dropPartMark, loadSettings } from '../../config/settings.ts';
import type { Settings } from '../../config/settings.ts';
import { createLogger } from '../../observe/logger.ts';
import type { Logger } from '../../observe/logger.ts';

interface Stoppable {
  readonly ready: Promise<void>;
  readonly finished: Promise<void>;
  stop(): Promise<void>;
}

const lingerMs = 3_000;

/** Until it ends by itself (rejects with why) or SIGTERM or SIGINT stops it. */
export async function runProcess(
  name: string,
  start: (settings: Settings, log: Logger) => Stoppable,
): Promise<void> {
  const settings = loadSettings();
  dropPartMark();
  const log = createLogger({ settings: settings.log, process: name });
  const running = start(settings, log);
  // Else only an orderly exit writes it, and one that was killed must start quickly, too. Why it is not ready, `finished` tells.
  running.ready.then(flushCompileCache, () => undefined);
  const stop = (signal: NodeJS.Signals): void => {
    log.info({ signal }, 'asked to stop');
    // What goes wrong while stopping is the end of `finished` below.
    running.stop().catch(() => undefined);
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  try {
    await running.finished;
  } catch (error) {
    log.error({ err: error }, 'ended');
    throw error;
  } finally {
    // What still holds the process open is a step that does not end; whoever started us waits for the process, not for it.
    setTimeout(() => process.exit(), lingerMs).unref();
  }
}
