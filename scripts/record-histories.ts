/**
 * Records what workflows really did, for `test/histories`: of each type and each way to end, the newest run on a Temporal server.
 *
 *   node scripts/record-histories.ts 127.0.0.1:7233 default test/histories
 *
 * Record with encryption off: a history holds everything that its activities were given.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

const types = [
  'release',
  'bake',
  'testLaunch',
  'promote',
  'scheduleRevocation',
  'cascade',
  'rollBackChannels',
  'retire',
  'expireBuilds',
  'deliverWebhook',
  'checkRun',
] as const;
const ends = ['Completed', 'Failed', 'Canceled', 'ContinuedAsNew'] as const;

/** Answers the names of the files that were written. */
export async function recordHistories(client: Client, folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const written: string[] = [];
  for (const type of types) {
    for (const end of ends) {
      const query = `WorkflowType = "${type}" AND ExecutionStatus = "${end}"`;
      // Newest first, as the server lists them.
      for await (const { workflowId, runId } of client.workflow.list({ query, pageSize: 1 })) {
        const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
        const name = `${type}.${end.toLowerCase()}.json`;
        const plain: unknown = JSON.parse(historyToJSON(history), withoutPlaces);
        await writeFile(
          join(folder, name),
          `${JSON.stringify(plain, null, 1)}
`,
        );
        written.push(name);
        break;
      }
    }
  }
  return written;
}

/** Where it was recorded is nobody's business, and differs with each recording. */
function withoutPlaces(key: string, value: unknown): unknown {
  if (key === 'stackTrace') return '';
  // Also the name of a worker's own queue: `<pid>@<host>-…`.
  return key === 'identity' || (typeof value === 'string' && /^\d+@/.test(value)) ? 'recorded' : value;
}

if (import.meta.main) {
  const [address = '127.0.0.1:7233', namespace = 'default', folder = 'test/histories'] =
    process.argv.slice(2);
  const connection = await Connection.connect({ address });
  const written = await recordHistories(new Client({ connection, namespace }), folder);
  console.log(written.length === 0 ? 'no run of ours has ended there' : written.join('\n'));
  await connection.close();
}
