import { sql } from 'kysely';
import { ulid } from 'ulid';
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import { lockBuckets } from '../../store/transaction.ts';
import type { EnforcedBlockLink, EnforcedBlocks } from '../contract/enforced-blocks.ts';
import { selectBuckets } from '../lookup.ts';
import { recordAll } from '../record.ts';
import { findVersion, lockBlock, selectLinks } from './rows.ts';

/** Of the contents that a bucket's builds are given, all in one answer. */
const mostBytes = 8 * 1024 * 1024;

export async function linkBuckets(
  tx: Tx,
  { project, blockId, versionId, buckets, by }: Parameters<EnforcedBlocks['link']>[0],
): Promise<readonly EnforcedBlockLink[]> {
  const names = [...new Set(buckets)];
  await lockBuckets(
    tx,
    (await named(tx, project, names)).map(({ id }) => id),
  );
  const { block, now } = await lockBlock(tx, project, blockId);
  const { version } = await findVersion(tx, blockId, versionId);
  // One may have been deleted before its lock was had.
  const wanted = await named(tx, project, names);
  const before = await selectLinks(tx).where('l.block_id', '=', blockId).execute();
  const ids = new Set(wanted.map(({ id }) => id));
  const left = before.filter((one) => one.versionId === versionId && !ids.has(one.bucketId));
  const come = wanted.filter(
    ({ id }) => !before.some((one) => one.bucketId === id && one.versionId === versionId),
  );
  await sql`delete from enforced_block_link where id = any(${left.map(({ id }) => id)}::text[])`.execute(tx);
  const rows = come.map(({ id }) => ({ id: ulid(), bucket_id: id }));
  await sql`
    insert into enforced_block_link (id, block_id, version_id, bucket_id, actor, created_at)
    select r.id, ${blockId}, ${versionId}, r.bucket_id, ${JSON.stringify(by)}::jsonb, ${now}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (id text, bucket_id text)
    on conflict (bucket_id, block_id)
      do update set version_id = excluded.version_id, actor = excluded.actor, created_at = excluded.created_at`.execute(
    tx,
  );
  await refuseTooMuch(
    tx,
    come.map(({ id }) => id),
  );
  const event = (bucket: string, data: Readonly<Record<string, unknown>>) => ({
    event: {
      kind: 'enforced_block.linked' as const,
      project,
      bucket,
      subjectId: blockId,
      data: { block: block.name, ...data },
      by,
      at: now,
    },
  });
  await recordAll(tx, [
    ...left.map(({ bucket }) => event(bucket, { version: null, before: version })),
    ...come.map(({ name }) => event(name, { version, versionId })),
  ]);
  return selectLinks(tx).where('l.version_id', '=', versionId).orderBy('bucket.name').execute();
}

async function refuseTooMuch(tx: Tx, bucketIds: readonly string[]): Promise<void> {
  const { rows } = await sql<{ readonly bucket: string; readonly bytes: number }>`
    select b.name as bucket, sum(octet_length(v.content))::double precision as bytes
    from enforced_block_link l
      join enforced_block_version v on v.id = l.version_id
      join bucket b on b.id = l.bucket_id
    where l.bucket_id = any(${bucketIds}::text[])
    group by b.name having sum(octet_length(v.content)) > ${mostBytes}
    order by b.name limit 1`.execute(tx);
  const [first] = rows;
  if (first === undefined) return;
  throw new Failure(
    'illegal_state',
    `What is linked to bucket ${first.bucket} would hold ${first.bytes} bytes, and ${mostBytes} is the most. Unlink other blocks from it.`,
  );
}

async function named(
  tx: Tx,
  project: string,
  names: readonly string[],
): Promise<readonly { readonly id: string; readonly name: string }[]> {
  const found = await selectBuckets(tx)
    .where('project.name', '=', project)
    .where(sql<boolean>`bucket.name = any(${names}::text[])`)
    .execute();
  const missing = names.filter((name) => !found.some((one) => one.name === name));
  if (missing.length === 0) return found;
  throw new Failure(
    'not_found',
    `Error: The bucket with identifier ${missing[0]} does not exist.${missing.length > 1 ? ` Nor do ${missing.length - 1} more.` : ''}`,
  );
}
