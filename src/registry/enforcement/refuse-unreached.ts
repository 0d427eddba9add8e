import { sql } from 'kysely';
import { ulid } from 'ulid';
import { type Target, targetKey, type WhyUnreached } from '../../domain/target.ts';
import type { Store, Tx } from '../../store/store.ts';
import { clock, lockBuckets, transact } from '../../store/transaction.ts';
import { materialiseBuckets } from '../materialise.ts';
import { recordAll } from '../record.ts';
import { loadStandings } from '../status.ts';
import { identify, type VersionIdentity } from '../version-identity.ts';
import { type NewReceipt, receiptEvent } from './record-receipt.ts';
import { wantedElsewhere } from './wanted-elsewhere.ts';

/** A version may have a hundred thousand of them, and a transaction holds its locks for a second at most. */
const imagesAtOnce = 2_000;

/** Set-wise, some thousands in a transaction: a call that is cut short goes on where the last one ended. */
export async function refuseUnreached(
  store: Store,
  versionId: string,
  whyUnreached: WhyUnreached,
): Promise<void> {
  const version = await identify(store.db, versionId);
  let written = imagesAtOnce;
  while (written === imagesAtOnce) {
    written = await transact(store, (tx) => refuseSome(tx, version, whyUnreached));
  }
}

async function refuseSome(tx: Tx, version: VersionIdentity, whyUnreached: WhyUnreached): Promise<number> {
  await lockBuckets(tx, [version.bucketId]);
  const now = await clock(tx);
  await materialiseBuckets(tx, [version.bucketId], now);
  const status = (await loadStandings(tx, [version.id], now)).get(version.id)?.status;
  // Restored meanwhile: nothing is to be disabled.
  if (status?.state !== 'revoked' || status.at === null) return 0;
  const reasons = await unreachedPlaces(tx, version.id, whyUnreached);
  const elsewhere = await wantedElsewhere(tx, version.id, true, now);
  const open = await unrefused(tx, version.id, { places: [...reasons.values()], elsewhere }, status.at);
  const receipts = open.map(({ artifactId, imageId, ...target }): NewReceipt => ({
    receiptId: ulid(),
    versionId: version.id,
    artifactId,
    target,
    action: 'disable',
    outcome: 'refused',
    launchable: null,
    detail: `${imageId} is not disabled: ${reasons.get(targetKey(target))?.why ?? 'not reached'}; disable it there by hand`,
  }));
  await write(tx, version, receipts, now);
  return receipts.length;
}

interface Unreached extends Target {
  readonly why: string;
}

async function unreachedPlaces(
  tx: Tx,
  versionId: string,
  whyUnreached: WhyUnreached,
): Promise<ReadonlyMap<string, Unreached>> {
  const places = await tx
    .selectFrom('artifact')
    .select(['provider', 'account', 'region'])
    .distinct()
    .where('version_id', '=', versionId)
    .execute();
  const found = places.flatMap((place): readonly (readonly [string, Unreached])[] => {
    const why = whyUnreached(place);
    return why === undefined ? [] : [[targetKey(place), { ...place, why }]];
  });
  return new Map(found);
}

interface Image extends Target {
  readonly artifactId: string;
  readonly imageId: string;
}

/** Images there of which that was not said since the revocation in force. `except` is one hash of either side, whatever the planner expects. */
async function unrefused(
  tx: Tx,
  versionId: string,
  { places, elsewhere }: { readonly places: readonly Unreached[]; readonly elsewhere: ReadonlySet<string> },
  since: string,
): Promise<readonly Image[]> {
  if (places.length === 0) return [];
  const { rows } = await sql<Image>`
    with open as (
      select a.id from artifact a
        join jsonb_to_recordset(${JSON.stringify(places)}::jsonb) as p (provider text, account text, region text)
          using (provider, account, region)
      where a.version_id = ${versionId} and a.last_known not in ('missing', 'deleted')
        and a.id <> all(${[...elsewhere]}::text[])
      except
      select r.artifact_id from receipt r
      where r.version_id = ${versionId} and r.action = 'disable' and r.outcome = 'refused' and r.at >= ${since}::timestamptz
      limit ${imagesAtOnce}
    )
    select a.id as "artifactId", a.image_id as "imageId", a.provider, a.account, a.region
    from open join artifact a on a.id = open.id`.execute(tx);
  return rows;
}

async function write(
  tx: Tx,
  version: VersionIdentity,
  receipts: readonly NewReceipt[],
  now: string,
): Promise<void> {
  if (receipts.length === 0) return;
  const rows = receipts.map(({ receiptId, artifactId, target, detail }) => ({
    id: receiptId,
    artifact_id: artifactId,
    ...target,
    detail,
  }));
  await sql`
    insert into receipt (id, project, bucket, version_id, artifact_id, provider, account, region, action, outcome, detail, at)
    select r.id, ${version.project}, ${version.bucket}, ${version.id}, r.artifact_id, r.provider, r.account, r.region,
      'disable', 'refused', r.detail, ${now}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (
      id text, artifact_id text, provider text, account text, region text, detail text
    )`.execute(tx);
  await recordAll(
    tx,
    receipts.map((receipt) => ({ event: receiptEvent(version, receipt, now) })),
  );
}
