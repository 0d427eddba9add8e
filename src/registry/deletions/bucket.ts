import { sql } from 'kysely';
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { buryChannels } from '../channels/bury.ts';
import { lockNamedBucket } from '../channels/named.ts';
import { listChannels } from '../channels/rows.ts';
import type { Deletions } from '../contract/deletions.ts';
import { wakeSharers } from '../enforcement/wake-sharers.ts';
import { findBucket } from '../lookup.ts';
import { materialiseBuckets } from '../materialise.ts';
import { record } from '../record.ts';

type DeleteBucket = Parameters<Deletions['bucket']>[0];

export async function deleteBucket(tx: Tx, input: DeleteBucket): Promise<void> {
  const { project, bucket, by } = input;
  const id = await lockNamedBucket(tx, project, bucket);
  const now = await clock(tx);
  const { line } = await findBucket(tx, project, bucket);
  if (line !== null && !input.mayDropLine) {
    throw new Failure(
      'illegal_state',
      `Bucket "${bucket}" is described in bakehouse.yaml, and only an admin deletes it. Take it out of the file, too: \`bakehouse apply\` makes it again.`,
    );
  }
  await refuseOpenRequests(tx, id, bucket);
  await materialiseBuckets(tx, [id], now);
  await buryChannels(tx, await listChannels(tx, project, bucket), { by, now });
  await sql`
    update version set deleted_at = ${now}, updated_at = ${now},
      state = case state when 'running' then 'cancelled' else state end
    where bucket_id = ${id} and deleted_at is null`.execute(tx);
  await tx.updateTable('bucket').set({ deleted_at: now, updated_at: now }).where('id', '=', id).execute();
  const event = {
    kind: 'bucket.deleted',
    project,
    bucket,
    subjectId: id,
    data: {},
    by,
    at: now,
  } as const;
  await record(tx, event, await wakeSharers(tx, { bucketId: id }));
}

async function refuseOpenRequests(tx: Tx, bucketId: string, bucket: string): Promise<void> {
  const open = await tx
    .selectFrom('request')
    .select('id')
    .where('bucket_id', '=', bucketId)
    .where('state', '=', 'open')
    .limit(1)
    .executeTakeFirst();
  if (open === undefined) return;
  throw new Failure(
    'illegal_state',
    `Bucket "${bucket}" is being baked: cancel its request ${open.id} first, then delete the bucket.`,
  );
}
