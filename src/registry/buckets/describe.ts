import type { Tx } from '../../store/store.ts';
import { clock, lockBuckets } from '../../store/transaction.ts';
import type { Buckets } from '../contract/buckets.ts';
import { findBucketId } from '../views/find.ts';
import { record } from '../record.ts';

export async function describeBucket(
  tx: Tx,
  { project, bucket, description, labels, by }: Parameters<Buckets['describe']>[0],
): Promise<void> {
  const id = await findBucketId(tx, project, bucket);
  await lockBuckets(tx, [id]);
  const now = await clock(tx);
  const changed = await tx
    .updateTable('bucket')
    .set({ description, labels: JSON.stringify(labels), updated_at: now })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .where((is) =>
      is.or([
        is('description', '!=', description),
        is('labels', 'is distinct from', is.cast<never>(is.val(JSON.stringify(labels)), 'jsonb')),
      ]),
    )
    .executeTakeFirst();
  if (changed.numUpdatedRows !== 1n) return;
  await record(tx, {
    kind: 'bucket.described',
    project,
    bucket,
    subjectId: id,
    data: { description, labels },
    by,
    at: now,
  });
}
