import { ulid } from 'ulid';
import type { Actor } from '../../domain/actor.ts';
import type { ImageLine, LineChange } from '../../domain/image-line.ts';
import { latestChannel } from '../../domain/names.ts';
import type { Tx } from '../../store/store.ts';
import { clock, lockBuckets } from '../../store/transaction.ts';
import { latestRow } from '../channels/latest-row.ts';
import type { BucketRow } from '../lookup.ts';
import { selectBuckets } from '../lookup.ts';
import { takeOverPlaces } from '../pointers/present-channel.ts';
import { recordAll } from '../record.ts';
import { defaultOrganization, ensureProject } from '../tenancy/projects.ts';
import { checkLines } from './check.ts';
import { digestOf } from './canonical.ts';
import { differences } from './differences.ts';

export async function applyLines(
  tx: Tx,
  project: string,
  lines: readonly ImageLine[],
  by: Actor,
): Promise<readonly LineChange[]> {
  await checkLines(tx, project, lines);
  const { id: projectId } = await ensureProject(tx, project, defaultOrganization);
  const buckets = await ensureBuckets(tx, projectId, lines);
  const now = await clock(tx);
  const changes: LineChange[] = [];
  for (const line of lines) {
    const bucket = buckets.get(line.bucket);
    if (bucket === undefined) continue;
    const change = changeOf(bucket, line);
    changes.push(change);
    if (change.action === 'none') continue;
    await tx
      .updateTable('bucket')
      .set({
        line: JSON.stringify(line),
        line_digest: digestOf(line),
        description: line.description,
        updated_at: now,
      })
      .where('id', '=', bucket.id)
      .execute();
    await applyChannels(tx, bucket.id, line, now);
    await takeOverPlaces(tx, bucket.id, [latestChannel, ...line.channels.map(({ name }) => name)]);
  }
  await recordAll(
    tx,
    changes
      .filter(({ action }) => action !== 'none')
      .map(({ bucket, action, differences: what }) => ({
        event: {
          kind: 'line.applied',
          project,
          bucket,
          subjectId: buckets.get(bucket)?.id ?? null,
          data: { action, differences: what },
          by,
          at: now,
        },
      })),
  );
  return changes;
}

export function changeOf(bucket: Pick<BucketRow, 'line'> | undefined, line: ImageLine): LineChange {
  const before = bucket?.line ?? null;
  const found = differences(before, line);
  if (before === null) return { bucket: line.bucket, action: 'create', differences: found };
  return { bucket: line.bucket, action: found.length === 0 ? 'none' : 'change', differences: found };
}

async function ensureBuckets(
  tx: Tx,
  projectId: string,
  lines: readonly ImageLine[],
): Promise<ReadonlyMap<string, BucketRow>> {
  const names = lines.map(({ bucket }) => bucket).toSorted();
  if (names.length === 0) return new Map();
  const now = await clock(tx);
  // In name order: two that apply the same new buckets wait for one another instead of crossing.
  await tx
    .insertInto('bucket')
    .values(
      names.map((name) => ({ id: ulid(), project_id: projectId, name, created_at: now, updated_at: now })),
    )
    .onConflict((on) => on.columns(['project_id', 'name']).where('deleted_at', 'is', null).doNothing())
    .execute();
  const read = () =>
    selectBuckets(tx).where('bucket.project_id', '=', projectId).where('bucket.name', 'in', names).execute();
  await lockBuckets(
    tx,
    (await read()).map(({ id }) => id),
  );
  return new Map((await read()).map((bucket) => [bucket.name, bucket]));
}

async function applyChannels(tx: Tx, bucketId: string, line: ImageLine, now: string): Promise<void> {
  const wanted = line.channels.map(({ name, gates }, position) => ({ name, gates, position }));
  await tx
    .updateTable('channel')
    .set({ position: null, updated_at: now })
    .where('bucket_id', '=', bucketId)
    .where('position', 'is not', null)
    .execute();
  await tx
    .insertInto('channel')
    .values([
      ...wanted.map(({ name, gates, position }) => ({
        id: ulid(),
        bucket_id: bucketId,
        name,
        position,
        managed: false,
        restricted: false,
        gates: JSON.stringify(gates),
        created_at: now,
        updated_at: now,
      })),
      latestRow(bucketId, now),
    ])
    .onConflict((on) =>
      on.columns(['bucket_id', 'name']).doUpdateSet((next) => ({
        position: next.ref('excluded.position'),
        gates: next.ref('excluded.gates'),
        updated_at: now,
      })),
    )
    .execute();
}
