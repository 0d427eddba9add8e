/** The connection of a worker. It is tried until it is there: a worker that is started before Temporal waits instead of dying. */
import { NativeConnection } from '@temporalio/worker';

import { untilItWorks, type Waiting } from './until-it-works.ts';

export function connectWorker(
  address: string,
  context: Pick<Waiting, 'signal' | 'log'>,
): Promise<NativeConnection> {
  return untilItWorks(
    `connect to Temporal at ${address}`,
    () => NativeConnection.connect({ address }),
    context,
  );
}
