import { sql } from 'kysely';
import type { Tx } from '../../store/store.ts';
import type { NewDelivery } from '../record.ts';
import { wakeRetire } from '../revocations/wake.ts';

/**
 * Revoked versions of a bucket whose images were left usable because a version that goes (all of them, where none is named) has them, too.
 */
export async function wakeSharers(
  tx: Tx,
  { project, bucketId, versionId }: { project: string; bucketId: string; versionId?: string },
): Promise<readonly NewDelivery[]> {
  const { rows } = await sql<{ id: string }>`
    select distinct sharer.id
    from version gone
      join artifact a on a.version_id = gone.id
      join artifact other on other.provider = a.provider and other.account = a.account and other.region = a.region
        and other.image_id = a.image_id and other.version_id <> a.version_id
      join version sharer on sharer.id = other.version_id and sharer.bucket_id = gone.bucket_id
    where gone.bucket_id = ${bucketId} and (${versionId ?? null}::text is null or gone.id = ${versionId ?? null})
      and exists (select from revocation r where r.version_id = sharer.id and r.lifted_at is null)`.execute(
    tx,
  );
  return rows.map(({ id }) => wakeRetire({ project, id }));
}
