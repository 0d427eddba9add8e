import { Runtime } from '@temporalio/worker';

import type { Logger } from '../observe/logger.ts';
import { createTemporalLogger } from '../observe/temporal-log.ts';

/** The SDK's runtime is one per process and refuses to be installed twice. */
let installed = false;

/** Must precede everything else of the SDK. Signals stay ours: the parts of a process stop in order. */
export function installRuntime(log: Logger): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: createTemporalLogger(log),
    shutdownSignals: [],
    telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
  });
}
