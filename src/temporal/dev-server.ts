/** How Temporal's development server is run: durable, and without the limits that make it slow. */
import { searchAttributeNames } from '../domain/search-attributes.ts';
import { openTemporal } from './connection.ts';
import { createBackoff } from './backoff.ts';

export interface DevServerOptions {
  readonly host: string;
  readonly port: number;
  /** Absent: no UI. */
  readonly uiPort?: number;
  /** Absent: everything is in memory and lost with the process. */
  readonly dbFile?: string;
  readonly namespace: string;
}

/**
 * By default the server polls each queue 20 times a second, which costs 50 ms per hop; and syncs a file per transaction. With one queue
 * partition, few pollers starve none.
 */
const dynamicConfig = [
  'history.transferProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxPollRPS=2000',
  'history.visibilityProcessorMaxPollRPS=2000',
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
];

const pragmas = ['journal_mode=wal', 'synchronous=1'];

const repeated = (flag: string, values: readonly string[]) => values.flatMap((value) => [flag, value]);

/** Arguments for the `temporal` program. */
export function devServerArguments(options: DevServerOptions): readonly string[] {
  const { host, port, uiPort, dbFile, namespace } = options;
  const durable =
    dbFile === undefined ? [] : ['--db-filename', dbFile, ...repeated('--sqlite-pragma', pragmas)];
  const attributes = searchAttributeNames.map((name) => `${name}=Keyword`);
  return ['server', 'start-dev', '--ip', host, '--port', String(port), '--namespace', namespace].concat(
    uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)],
    durable,
    repeated('--dynamic-config-value', dynamicConfig),
    repeated('--search-attribute', attributes),
    ['--log-level', 'warn'],
  );
}

/** Until the namespace answers. Throws the last failure when the signal aborts first. */
export async function untilServing(
  place: { readonly address: string; readonly namespace: string },
  signal: AbortSignal,
): Promise<void> {
  const temporal = openTemporal({ ...place, deadlineMs: 2_000 });
  const backoff = createBackoff(100, 500);
  try {
    for (;;) {
      try {
        await temporal.call(() =>
          temporal.connection.workflowService.describeNamespace({ namespace: place.namespace }),
        );
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        await backoff.wait(signal);
      }
    }
  } finally {
    await temporal.close();
  }
}
