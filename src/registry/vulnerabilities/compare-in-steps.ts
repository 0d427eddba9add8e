/** Whatever SBOMs and imports hold, one step of it is in memory. */
import type { RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { Tx } from '../../store/store.ts';
import { affects } from './affected.ts';
import type { AffectedVersions } from './affected.ts';

/** Of a step: few enough that other calls hardly wait while it is compared. */
const most = { versions: 100, advisories: 50, bytes: 4 * 1024 * 1024 } as const;
/** Ids of advisories that are read ahead. */
const readAhead = 1000;

export interface Compared {
  /** A query of distinct `ecosystem`, `name` and `version`. */
  readonly versions: RawBuilder<unknown>;
  /** Which packages `p` of those versions. */
  readonly packages: RawBuilder<unknown>;
  /** Which advisories, by what they affect, `a`. */
  readonly advisories: RawBuilder<unknown>;
}

interface Version {
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
}

/** Writes what is found, and takes away what was found of the same packages and advisories and is found no more. Once in a transaction. */
export async function compareInSteps(tx: Tx, compared: Compared, now: string): Promise<void> {
  await sql`declare compared no scroll cursor for ${compared.versions}`.execute(tx);
  for (;;) {
    const { rows } = await sql<Version>`fetch forward ${sql.lit(most.versions)} from compared`.execute(tx);
    if (rows.length === 0) break;
    for await (const ids of pagesOf(tx, rows, compared)) {
      const findings = find(rows, await load(tx, rows, ids));
      await write(tx, rows, ids, findings, compared, now);
    }
  }
  await sql`close compared`.execute(tx);
}

const names = (versions: readonly Version[]) => sql`
  (select distinct ecosystem, name from jsonb_to_recordset(${JSON.stringify(versions)}::jsonb) as r (ecosystem text, name text))`;

/** Ids of the advisories that name those packages: as many as a step takes, and one at least. */
async function* pagesOf(
  tx: Tx,
  versions: readonly Version[],
  { advisories }: Compared,
): AsyncGenerator<readonly string[]> {
  let page: string[] = [];
  let bytes = 0;
  for (let after = ''; ;) {
    const { rows } = await sql<{ readonly id: string; readonly bytes: number }>`
      select a.vulnerability_id as id,
        sum(octet_length(a.ranges::text) + octet_length(a.versions::text))::double precision as bytes
      from ${names(versions)} n
        join vulnerability_affected a on a.ecosystem = n.ecosystem and a.name = n.name
        join vulnerability v on v.id = a.vulnerability_id and v.withdrawn_at is null
      where ${advisories} and a.vulnerability_id > ${after}
      group by a.vulnerability_id order by a.vulnerability_id limit ${readAhead}`.execute(tx);
    for (const row of rows) {
      if (page.length > 0 && (page.length >= most.advisories || bytes + row.bytes > most.bytes)) {
        yield page;
        [page, bytes] = [[], 0];
      }
      page.push(row.id);
      bytes += row.bytes;
    }
    after = rows.at(-1)?.id ?? '';
    if (rows.length < readAhead) break;
  }
  if (page.length > 0) yield page;
}

interface Affected extends AffectedVersions {
  readonly vulnerabilityId: string;
  readonly name: string;
}

async function load(
  tx: Tx,
  versions: readonly Version[],
  ids: readonly string[],
): Promise<readonly Affected[]> {
  const { rows } = await sql<Affected>`
    select a.vulnerability_id as "vulnerabilityId", a.ecosystem, a.name, a.ranges, a.versions
    from vulnerability_affected a join ${names(versions)} n on n.ecosystem = a.ecosystem and n.name = a.name
    where a.vulnerability_id = any(${ids}::text[])
    order by a.vulnerability_id, a.position`.execute(tx);
  return rows;
}

interface Finding {
  /** Which of the step's versions. */
  readonly place: number;
  readonly vulnerability_id: string;
  readonly fixed_version: string | null;
}

function find(versions: readonly Version[], advised: readonly Affected[]): readonly Finding[] {
  const byName = Map.groupBy(
    versions.map((one, place) => ({ ...one, place })),
    ({ ecosystem, name }) => `${ecosystem} ${name}`,
  );
  const found = new Map<string, Finding>();
  for (const one of advised) {
    for (const { version, place } of byName.get(`${one.ecosystem} ${one.name}`) ?? []) {
      const hit = affects(one, version);
      if (hit === undefined) continue;
      const key = `${place} ${one.vulnerabilityId}`;
      found.set(key, {
        place,
        vulnerability_id: one.vulnerabilityId,
        fixed_version: found.get(key)?.fixed_version ?? hit.fixedVersion,
      });
    }
  }
  return [...found.values()];
}

async function write(
  tx: Tx,
  versions: readonly Version[],
  ids: readonly string[],
  findings: readonly Finding[],
  { packages }: Compared,
  now: string,
): Promise<void> {
  const step = JSON.stringify(versions.map((one, place) => ({ ...one, place })));
  const found = sql`
    with found as materialized (
      select p.id as package_id, f.vulnerability_id, f.fixed_version, f.place
      from jsonb_to_recordset(${step}::jsonb) as s (place integer, ecosystem text, name text, version text)
        join package p on p.ecosystem = s.ecosystem and p.advised_name = s.name and p.advised_version = s.version and ${packages}
        left join jsonb_to_recordset(${JSON.stringify(findings)}::jsonb)
          as f (place integer, vulnerability_id text, fixed_version text) on f.place = s.place
    )`;
  await sql`
    ${found}
    delete from package_vulnerability pv
    where pv.vulnerability_id = any(${ids}::text[]) and pv.package_id in (select package_id from found) and not exists (
      select from found f where f.package_id = pv.package_id and f.vulnerability_id = pv.vulnerability_id
    )`.execute(tx);
  await sql`
    ${found}
    insert into package_vulnerability (package_id, vulnerability_id, fixed_version, first_seen_at)
    select package_id, vulnerability_id, fixed_version, ${now}::timestamptz from found
    where vulnerability_id is not null
    order by package_id, vulnerability_id
    on conflict (package_id, vulnerability_id) do update set fixed_version = excluded.fixed_version`.execute(
    tx,
  );
}
