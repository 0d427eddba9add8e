import { sql } from 'kysely';
import { notRevoked } from '../../domain/revocation-in-force.ts';
import { epochMs } from '../../domain/instant.ts';
import type { EnforcementPlace, EnforcementWish, RevocationStatus } from '../../domain/revocation.ts';
import type { WhyUnreached } from '../../domain/target.ts';
import type { LastKnown } from '../../domain/version.ts';
import type { Db } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { loadStandings } from '../status.ts';
import { identify } from '../version-identity.ts';
import { wantedElsewhere } from './wanted-elsewhere.ts';

interface PlaceRow {
  readonly artifactId: string;
  readonly provider: string;
  readonly account: string;
  readonly region: string;
  readonly imageId: string;
  readonly lastKnown: LastKnown;
  readonly recordedShares: readonly string[] | null;
  /** The newest proof that it was blocked. */
  readonly disabledAt: string | null;
  readonly deleteAfterMs: number | null;
  /** Of a version that no bake of ours made. */
  readonly isForeign: boolean;
}

/**
 * What is wanted of a version's images, by the clock. Deletion is counted from the last proof that every image is blocked under the
 * revocation in force; a restore in between starts the count anew. Images that no bake of ours made are blocked and never deleted.
 */
export async function loadWish(
  db: Db,
  versionId: string,
  whyUnreached: WhyUnreached = () => undefined,
): Promise<EnforcementWish> {
  await identify(db, versionId);
  const now = await clock(db);
  const status = (await loadStandings(db, [versionId], now)).get(versionId)?.status ?? notRevoked;
  const elsewhere = await wantedElsewhere(db, versionId, status.state === 'revoked', now);
  const all = (await loadPlaces(db, versionId)).filter(({ artifactId }) => !elsewhere.has(artifactId));
  // What is never seen blocked must not hold the deletion of the others for ever.
  const rows = all.filter((row) => whyUnreached(row) === undefined);
  const deleteInMs = status.state === 'revoked' ? deletionIn(rows, status, now) : null;
  const keeps = status.state === 'revoked' && rows.some(isKept);
  return {
    versionId,
    wanted: status.state !== 'revoked' ? 'usable' : deleteInMs === 0 ? 'deleted' : 'blocked',
    deprecateAt: status.at,
    deleteInMs: deleteInMs === 0 ? null : deleteInMs,
    reason: status.reason ?? '',
    places: rows.map(toPlace),
    ...(keeps ? { keeps } : {}),
    ...(rows.length === all.length ? {} : { unreached: all.length - rows.length }),
  };
}

const isKept = ({ isForeign, deleteAfterMs }: PlaceRow) => isForeign && deleteAfterMs !== null;

function deletionIn(rows: readonly PlaceRow[], status: RevocationStatus, now: string): number | null {
  const afterMs = rows[0]?.deleteAfterMs ?? null;
  if (afterMs === null || rows.some(isKept)) return null;
  let blockedMs = epochMs(status.at ?? now);
  for (const { lastKnown, disabledAt } of rows) {
    if (lastKnown === 'deleted' || lastKnown === 'missing') continue;
    // Not blocked yet, or by an earlier revocation: the grace has not begun.
    if (lastKnown !== 'disabled' || disabledAt === null) return Math.max(1, afterMs);
    blockedMs = Math.max(blockedMs, epochMs(disabledAt));
  }
  return Math.max(0, blockedMs + afterMs - epochMs(now));
}

async function loadPlaces(db: Db, versionId: string): Promise<readonly PlaceRow[]> {
  const { rows } = await sql<PlaceRow>`
    select a.id as "artifactId", a.provider, a.account, a.region, a.image_id as "imageId", a.last_known as "lastKnown",
      a.recorded_shares as "recordedShares", d.at as "disabledAt", (b.line ->> 'deleteAfterMs')::float8 as "deleteAfterMs",
      v.request_id is null as "isForeign"
    from artifact a
      join version v on v.id = a.version_id
      join bucket b on b.id = v.bucket_id
      left join (
        select artifact_id, max(at) as at from receipt
        where version_id = ${versionId} and action = 'disable' and outcome = 'done' group by artifact_id
      ) d on d.artifact_id = a.id
    where a.version_id = ${versionId} order by a.id`.execute(db);
  return rows;
}

function toPlace(row: PlaceRow): EnforcementPlace {
  return {
    artifactId: row.artifactId,
    image: {
      target: { provider: row.provider, account: row.account, region: row.region },
      imageId: row.imageId,
    },
    lastKnown: row.lastKnown,
    recordedShares: row.recordedShares,
  };
}
