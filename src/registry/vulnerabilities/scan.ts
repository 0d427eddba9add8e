/** Packages are compared with advisories when either comes; an upload and an import that do not see one another wait. */
import { sql } from 'kysely';
import type { Tx } from '../../store/store.ts';
import type { AdvisoryRange } from '../contract/vulnerabilities.ts';
import { affects } from './affected.ts';

/** Any constant will do. Shared by uploads, held alone by imports. */
const lockKey = 7_265_482_320;

interface Candidate {
  readonly packageId: string;
  readonly vulnerabilityId: string;
  readonly version: string;
  readonly ecosystem: string;
  readonly ranges: readonly AdvisoryRange[];
  readonly versions: readonly string[];
}

/** Those of an SBOM that were never compared. */
export async function scanPackages(tx: Tx, sbomId: string, now: string): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${lockKey})`.execute(tx);
  const { rows } = await sql<Candidate>`
    select p.id as "packageId", a.vulnerability_id as "vulnerabilityId", p.advised_version as version, a.ecosystem, a.ranges, a.versions
    from sbom_package sp
      join package p on p.id = sp.package_id and p.scanned_at is null
      join vulnerability_affected a on a.ecosystem = p.ecosystem and a.name = p.advised_name
      join vulnerability v on v.id = a.vulnerability_id and v.withdrawn_at is null
    where sp.sbom_id = ${sbomId}`.execute(tx);
  await write(tx, rows, now);
  await sql`
    update package p set scanned_at = ${now}
    from sbom_package sp
    where sp.sbom_id = ${sbomId} and p.id = sp.package_id and p.scanned_at is null`.execute(tx);
}

/** Before advisories are written, so that no upload misses them. */
export async function lockForImport(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(${lockKey})`.execute(tx);
}

/** The packages that these advisories name. What was found stays found since then; what is no longer affected goes. */
export async function scanAdvisories(tx: Tx, ids: readonly string[], now: string): Promise<void> {
  const { rows } = await sql<Candidate>`
    select p.id as "packageId", a.vulnerability_id as "vulnerabilityId", p.advised_version as version, a.ecosystem, a.ranges, a.versions
    from vulnerability_affected a
      join vulnerability v on v.id = a.vulnerability_id and v.withdrawn_at is null
      join package p on p.ecosystem = a.ecosystem and p.advised_name = a.name
    where a.vulnerability_id = any(${ids}::text[])`.execute(tx);
  const found = await write(tx, rows, now);
  await sql`
    delete from package_vulnerability pv
    where pv.vulnerability_id = any(${ids}::text[]) and not exists (
      select from jsonb_to_recordset(${JSON.stringify(found)}::jsonb) as f (package_id bigint, vulnerability_id text)
      where f.package_id = pv.package_id and f.vulnerability_id = pv.vulnerability_id
    )`.execute(tx);
  await sql`
    update package p set scanned_at = ${now}
    from vulnerability_affected a
    where a.vulnerability_id = any(${ids}::text[]) and p.ecosystem = a.ecosystem and p.advised_name = a.name`.execute(
    tx,
  );
}

interface Finding {
  readonly package_id: string;
  readonly vulnerability_id: string;
  readonly fixed_version: string | null;
}

async function write(tx: Tx, candidates: readonly Candidate[], now: string): Promise<readonly Finding[]> {
  const found = new Map<string, Finding>();
  for (const one of candidates) {
    const hit = affects(one, one.version);
    if (hit === undefined) continue;
    const key = `${one.packageId} ${one.vulnerabilityId}`;
    const fixed = found.get(key)?.fixed_version ?? hit.fixedVersion;
    found.set(key, {
      package_id: one.packageId,
      vulnerability_id: one.vulnerabilityId,
      fixed_version: fixed,
    });
  }
  const findings = [...found.values()];
  await sql`
    insert into package_vulnerability (package_id, vulnerability_id, fixed_version, first_seen_at)
    select package_id, vulnerability_id, fixed_version, ${now}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(findings)}::jsonb) as r (package_id bigint, vulnerability_id text, fixed_version text)
    order by package_id, vulnerability_id
    on conflict (package_id, vulnerability_id) do update set fixed_version = excluded.fixed_version`.execute(
    tx,
  );
  return findings;
}
