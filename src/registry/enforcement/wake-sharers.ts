import { sql } from 'kysely';
import type { Tx } from '../../store/store.ts';
import type { NewDelivery } from '../record.ts';
import { wakeRetire } from '../revocations/wake.ts';

interface Sharer {
  readonly id: string;
  readonly project: string;
}

/** Revoked versions that have an image which one of these, or for a bucket any of its versions, has, too. */
async function revokedSharers(
  tx: Tx,
  of: { readonly versionIds: readonly string[] } | { readonly bucketId: string },
): Promise<readonly Sharer[]> {
  const these =
    'bucketId' in of ? sql`v.bucket_id = ${of.bucketId}` : sql`v.id = any(${of.versionIds}::text[])`;
  const { rows } = await sql<Sharer>`
    select distinct sharer.id, p.name as project
    from version v
      join artifact a on a.version_id = v.id
      join artifact other on other.provider = a.provider and other.account = a.account and other.region = a.region
        and other.image_id = a.image_id and other.version_id <> a.version_id
      join version sharer on sharer.id = other.version_id and sharer.bucket_id = v.bucket_id
      join bucket b on b.id = v.bucket_id
      join project p on p.id = b.project_id
    where ${these} and exists (select from revocation r where r.version_id = sharer.id and r.lifted_at is null)`.execute(
    tx,
  );
  return rows;
}

/** Wakes them where these go, or are revoked: what was left to those is theirs again. */
export async function wakeSharers(
  tx: Tx,
  of: Parameters<typeof revokedSharers>[1],
): Promise<readonly NewDelivery[]> {
  return (await revokedSharers(tx, of)).map(wakeRetire);
}

/** Wakes a version that has come to have an image that a revoked one may have had blocked. */
export async function wakeIfShared(tx: Tx, version: Sharer): Promise<readonly NewDelivery[]> {
  const sharers = await revokedSharers(tx, { versionIds: [version.id] });
  return sharers.length === 0 ? [] : [wakeRetire(version)];
}
