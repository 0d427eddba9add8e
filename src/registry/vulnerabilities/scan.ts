/** Packages are compared with advisories when either comes; an upload and an import that do not see one another wait. */
import type { RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { Tx } from '../../store/store.ts';
import { compareInSteps } from './compare-in-steps.ts';

/** Any constant will do. Shared by uploads, held alone by imports. */
const lockKey = 7_265_482_320;

/** Those of an SBOM that were never compared. */
export async function scanPackages(tx: Tx, sbomId: string, now: string): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${lockKey})`.execute(tx);
  await compareInSteps(
    tx,
    {
      versions: sql`
        select distinct p.ecosystem, p.advised_name as name, p.advised_version as version
        from sbom_package sp join package p on p.id = sp.package_id and p.scanned_at is null
        where sp.sbom_id = ${sbomId} and exists (
          select from vulnerability_affected a where a.ecosystem = p.ecosystem and a.name = p.advised_name
        )`,
      packages: sql`p.scanned_at is null`,
      advisories: sql`true`,
    },
    now,
  );
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
  await sql`
    delete from package_vulnerability pv using package p
    where pv.vulnerability_id = any(${ids}::text[]) and p.id = pv.package_id and not exists (
      select from vulnerability_affected a join vulnerability v on v.id = a.vulnerability_id and v.withdrawn_at is null
      where a.vulnerability_id = pv.vulnerability_id and a.ecosystem = p.ecosystem and a.name = p.advised_name
    )`.execute(tx);
  const named = (columns: RawBuilder<unknown>) => sql`
    select distinct ${columns}
    from (
      select distinct ecosystem, name from vulnerability_affected where vulnerability_id = any(${ids}::text[])
    ) a join package p on p.ecosystem = a.ecosystem and p.advised_name = a.name`;
  await compareInSteps(
    tx,
    {
      versions: named(sql`p.ecosystem, p.advised_name as name, p.advised_version as version`),
      packages: sql`true`,
      advisories: sql`a.vulnerability_id = any(${ids}::text[])`,
    },
    now,
  );
  await sql`update package set scanned_at = ${now} where id in (${named(sql`p.id`)})`.execute(tx);
}
