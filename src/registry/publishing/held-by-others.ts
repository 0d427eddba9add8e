/** Whoever names an image gets no say over it while another bucket has it: a revocation would reach what its team never gave away. */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { type ImageRef, unknownAccount } from '../../domain/target.ts';
import type { Tx } from '../../store/store.ts';

/** So few that crowds of long lists never use up what PostgreSQL keeps for locks. */
const locks = 64;
const ours = 726548;

export const keyOf = ({ target, imageId }: ImageRef): string =>
  JSON.stringify([target.provider, target.account, target.region, imageId]);

/**
 * The keys of those in a known account that a version of another bucket of any project has; not of those of deleted versions and builds
 * whose image is gone. Two buckets that tell of one image at once wait for one another: called after the locks of buckets.
 */
export async function heldByOthers(
  tx: Tx,
  bucketId: string,
  images: readonly ImageRef[],
): Promise<ReadonlySet<string>> {
  const known = images.filter(({ target }) => target.account !== unknownAccount);
  if (known.length === 0) return new Set();
  const hashes = [...new Set(known.map(lockOf))].toSorted((one, other) => one - other);
  await sql`select pg_advisory_xact_lock(${ours}, hash) from unnest(${hashes}::int[]) as h (hash)`.execute(
    tx,
  );
  const asked = known.map((image) => ({ ...image.target, image_id: image.imageId, key: keyOf(image) }));
  const { rows } = await sql<{ key: string }>`
    select asked.key
    from jsonb_to_recordset(${JSON.stringify(asked)}::jsonb)
      as asked (key text, provider text, account text, region text, image_id text)
    where exists (
      select from artifact a
        join build on build.id = a.build_id
        join version v on v.id = a.version_id
        join bucket b on b.id = v.bucket_id
      where a.provider = asked.provider and a.account = asked.account and a.region = asked.region and a.image_id = asked.image_id
        and v.bucket_id <> ${bucketId}
        and (a.last_known not in ('missing', 'deleted')
          or (build.deleted_at is null and v.deleted_at is null and b.deleted_at is null))
    )`.execute(tx);
  return new Set(rows.map(({ key }) => key));
}

const lockOf = (image: ImageRef): number =>
  createHash('sha256').update(keyOf(image)).digest().readUInt32BE() % locks;
