import type { KyselyPlugin } from 'kysely';
import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { scanAdvisories, scanPackages } from '../../src/registry/vulnerabilities/scan.ts';
import { transact } from '../../src/store/transaction.ts';
import { useDatabase } from '../support/database.ts';
import { createWorld } from './support/world.ts';

const database = useDatabase();
const now = '2026-01-01T00:00:00.000Z';
const versions = 150;
const advisories = 120;

/** What the largest answer of the database had. */
const largest = { rows: 0, bytes: 0 };
const watching: KyselyPlugin = {
  transformQuery: ({ node }) => node,
  transformResult: ({ result }) => {
    largest.rows = Math.max(largest.rows, result.rows.length);
    largest.bytes = Math.max(largest.bytes, JSON.stringify(result.rows).length);
    return Promise.resolve(result);
  },
};

const found = async () => {
  const { rows } = await sql<{ name: string; count: number; fixed: string | null }>`
    select p.name, count(*)::integer as count, min(fixed_version) as fixed
    from package_vulnerability pv join package p on p.id = pv.package_id
    group by p.name order by p.name`.execute(database().store.db);
  return rows;
};
/** Each advisory of `linux` is fixed in a version of its own, and each version affected by those that are fixed after it. */
const pairs = Array.from({ length: advisories }, (_, index) => Math.min(versions, index + 1)).reduce(
  (sum, count) => sum + count,
  0,
);
const all = [
  { name: 'large', count: 6, fixed: null },
  { name: 'linux', count: pairs, fixed: '1.0.1' },
];

beforeAll(async () => {
  const { db } = database().store;
  const { version } = await createWorld(database()).lineWithVersion();
  await sql`
    insert into sbom (id, build_id, name, format, content, size_bytes, actor, created_at)
    select 'sbom', id, 'sbom', 'SPDX', '', 1, '{}', ${now} from build where version_id = ${version.id} limit 1`.execute(
    db,
  );
  await sql`
    insert into package (name, version, purl, ecosystem, advised_name, advised_version)
    select 'linux', '1.0.' || i, 'pkg:npm/linux@1.0.' || i, 'npm', 'linux', '1.0.' || i from generate_series(0, ${versions - 1}) i
    union all select 'large', '1.0.0', 'pkg:npm/large@1.0.0', 'npm', 'large', '1.0.0'`.execute(db);
  await sql`insert into sbom_package (sbom_id, package_id) select 'sbom', id from package`.execute(db);
  await sql`
    insert into vulnerability (id, description, criticality, aliases, related)
    select 'LINUX-' || i, '', 'low', array[]::text[], array[]::text[] from generate_series(1, ${advisories}) i
    union all select 'LARGE-' || i, '', 'low', '{}', '{}' from generate_series(1, 6) i`.execute(db);
  await sql`
    insert into vulnerability_affected (vulnerability_id, position, ecosystem, name, ranges, versions)
    select 'LINUX-' || i, 0, 'npm', 'linux', jsonb_build_array(jsonb_build_array(
      jsonb_build_object('kind', 'introduced', 'version', '0'), jsonb_build_object('kind', 'fixed', 'version', '1.0.' || i)
    )), '[]'::jsonb from generate_series(1, ${advisories}) i
    union all select 'LARGE-' || i, 0, 'npm', 'large', '[]'::jsonb, (
      select jsonb_agg('1.0.' || j || repeat('-', 40)) || '["1.0.0"]' from generate_series(1, 40000) j
    ) from generate_series(1, 6) i`.execute(db);
});

describe('packages and advisories', () => {
  it('are compared in steps, whichever come, and what is found stays found since then', async () => {
    const { store } = database();
    await transact(store, (tx) => scanPackages(tx.withPlugin(watching), 'sbom', now));
    expect(await found()).toEqual(all);

    const ids = [
      ...Array.from({ length: advisories }, (_, index) => `LINUX-${index + 1}`),
      ...Array.from({ length: 6 }, (_, index) => `LARGE-${index + 1}`),
    ];
    // One is corrected; one is found anew.
    await sql`
      update vulnerability_affected set ranges = jsonb_set(ranges, '{0,1,version}', '"1.0.1"')
      where vulnerability_id = ${`LINUX-${advisories}`}`.execute(store.db);
    await sql`delete from package_vulnerability where vulnerability_id = 'LINUX-1'`.execute(store.db);
    await transact(store, (tx) => scanAdvisories(tx.withPlugin(watching), ids, '2026-02-01T00:00:00.000Z'));
    expect(await found()).toEqual([all[0], { ...all[1], count: pairs - advisories + 1 }]);
    const { rows } = await sql<{ id: string }>`
      select vulnerability_id as id from package_vulnerability where first_seen_at > ${now}`.execute(
      store.db,
    );
    expect(rows).toEqual([{ id: 'LINUX-1' }]);
    expect(largest.rows).toBeLessThanOrEqual(1000);
    expect(largest.bytes).toBeLessThan(5 * 1024 * 1024);
  });
});
