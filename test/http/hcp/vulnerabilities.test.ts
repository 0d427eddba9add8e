import { zstdCompressSync } from 'node:zlib';
import { sql } from 'kysely';
import { ulid } from 'ulid';
import { beforeAll, describe, expect, it } from 'vitest';
import { project } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import type { Api } from '../support/api.ts';
import { startApi, tokens } from '../support/api.ts';
import type { Call } from './support/hcp-calls.ts';
import { hcpCalls } from './support/hcp-calls.ts';

const database = useDatabase();
let api: Api;
let call: Call;
let bucket: string;
let sboms: string;
let build: string;

const packages = [
  [
    'openssl',
    '3.0.11-1~deb12u1',
    'pkg:deb/debian/libssl3@3.0.11-1~deb12u1?upstream=openssl&distro=debian-12',
  ],
  ['left-pad', '1.2.0', 'pkg:npm/left-pad@1.2.0'],
  ['left-pad', '1.3.0', 'pkg:npm/left-pad@1.3.0'],
  ['musl', '1.2.4-r2', 'pkg:apk/alpine/musl@1.2.4-r2?distro=alpine-3.19.1'],
  ['no-url', '1', ''],
] as const;

const compressed = (components: readonly (readonly [string, string, string])[]) =>
  zstdCompressSync(
    JSON.stringify({
      bomFormat: 'CycloneDX',
      components: components.map(([name, version, purl]) => ({ type: 'library', name, version, purl })),
    }),
  ).toString('base64');

const range = (...events: readonly object[]) => [{ type: 'ECOSYSTEM', events }];
const advisory = (id: string, more: object) => ({ id, modified: '2026-01-01T00:00:00Z', ...more });
const npm = advisory('GHSA-left', {
  summary: 'pads too far',
  aliases: ['CVE-2026-1'],
  related: ['CVE-2026-9'],
  published: '2025-12-31T00:00:00Z',
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
  affected: [
    {
      package: { ecosystem: 'npm', name: 'left-pad' },
      ranges: range({ introduced: '0' }, { fixed: '1.2.5' }),
    },
  ],
  credits: [{ name: 'nobody' }],
});
const debian = advisory('DSA-1', {
  database_specific: { severity: 'MODERATE' },
  affected: [
    {
      package: { ecosystem: 'Debian:12', name: 'openssl' },
      ranges: range({ introduced: '0' }, { fixed: '3.0.11-1' }),
    },
    {
      package: { ecosystem: 'Debian:11', name: 'openssl' },
      ranges: range({ introduced: '0' }, { fixed: '9' }),
    },
  ],
});

const take = (advisories: readonly object[], more: object = {}) =>
  api.raw('POST', `/api/v1/vulnerabilities/imports/${ulid()}`, {
    file: 'osv.zip',
    batch: 1,
    last: true,
    advisories,
    ...more,
  });

const setState = (state: string) =>
  sql`update build set state = ${state} where id = ${build}`.execute(database().store.db);

beforeAll(async () => {
  api = startApi(database());
  const made = await api.world.lineWithVersion();
  bucket = made.bucket;
  // As somebody else publishes it: of a bake of ours its Packer alone tells.
  await sql`update version set request_id = null, attempt = null where id = ${made.version.id}`.execute(
    database().store.db,
  );
  await sql`update channel set restricted = true where name = 'prod'`.execute(database().store.db);
  const { rows } = await sql<{
    id: string;
  }>`select id from build where version_id = ${made.version.id}`.execute(database().store.db);
  build = rows[0]?.id ?? '';
  call = await hcpCalls(api);
  sboms = `/buckets/${bucket}/versions/${made.version.fingerprint}/builds/${build}/sboms`;
  // Before the SBOM: the upload finds it.
  expect(await take([npm])).toMatchObject({ status: 200, body: { advisories: 1 } });
  await setState('running');
  for (const name of ['all', 'one']) {
    const some = name === 'all' ? packages : packages.slice(0, 1);
    const kept = await call('PUT', sboms, { name, format: 'CYCLONEDX', compressed_sbom: compressed(some) });
    expect(kept.http).toBe(200);
  }
  await setState('done');
  // After it: the import does.
  expect(await take([debian])).toMatchObject({ status: 200 });
});

interface Packages {
  readonly packages: readonly {
    readonly name: string;
    readonly version: string;
    readonly channel_name?: string;
    readonly sboms: readonly { readonly name: string }[];
    readonly vuln_details?: readonly {
      readonly vulnerabilities: readonly { readonly identifier: string }[];
    }[];
  }[];
  readonly pagination: { readonly next_page_token: string; readonly previous_page_token: string };
}
const named = ({ packages: list }: Packages) => list.map(({ name, version }) => `${name} ${version}`);
const get = (path: string, token?: string) => call<Packages>('GET', path, undefined, token);

describe('packages', () => {
  it('are listed of a build and of a bucket, once each, by page and by filter', async () => {
    const ofBuild = sboms.replace(/sboms$/, 'packages');
    const ofBucket = `/buckets/${bucket}/packages`;
    const all = ['left-pad 1.2.0', 'left-pad 1.3.0', 'musl 1.2.4-r2', 'no-url 1', 'openssl 3.0.11-1~deb12u1'];
    expect(named((await get(ofBuild)).body)).toEqual(all);
    const { body } = await get(ofBucket, tokens.viewer);
    expect(named(body)).toEqual(all);
    expect(body.packages.at(-1)?.sboms.map(({ name }) => name)).toEqual(['one', 'all']);
    expect(named((await get(`${ofBucket}?package_name=left-pad&package_version=1.3.0`)).body)).toEqual([
      all[1],
    ]);
    expect(named((await get(`${ofBuild}?package_name_starts_with=m`)).body)).toEqual([all[2]]);
    expect(named((await get(`${ofBucket}?sorting.order_by=name%20desc`)).body)).toEqual(all.toReversed());

    const first = await get(`${ofBucket}?pagination.page_size=2`);
    expect(named(first.body)).toEqual(all.slice(0, 2));
    expect(first.body.pagination.previous_page_token).toBe('');
    const page = (way: string, token: string) =>
      get(`${ofBucket}?pagination.page_size=2&pagination.${way}_page_token=${token}`);
    const second = await page('next', first.body.pagination.next_page_token);
    const third = await page('next', second.body.pagination.next_page_token);
    expect([named(second.body), named(third.body)]).toEqual([all.slice(2, 4), all.slice(4)]);
    expect(third.body.pagination.next_page_token).toBe('');
    const back = await page('previous', third.body.pagination.previous_page_token);
    expect(named(back.body)).toEqual(all.slice(2, 4));
    expect(await page('next', 'rubbish')).toMatchObject({ http: 400, code: 3 });
    expect(await get(`/buckets/no-such-bucket/packages`)).toMatchObject({ http: 404, code: 5 });
  });
});

const ids = async () => {
  const { body } = await call<{
    vulnerabilities: readonly { vulnerability: { identifier: string } }[];
  }>('GET', `/buckets/${bucket}/vulnerabilities`);
  return body.vulnerabilities.map(({ vulnerability }) => vulnerability.identifier);
};

describe('vulnerabilities', () => {
  it('are found whichever comes first, and told of with what they reach that the caller sees', async () => {
    const at = `/buckets/${bucket}/packages/with-vulnerabilities`;
    const { body } = await get(at);
    expect(body.packages.map((one) => [one.name, one.version, one.channel_name])).toEqual([
      ['left-pad', '1.2.0', expect.stringMatching(/dev|latest|prod/)],
      ['left-pad', '1.2.0', expect.stringMatching(/dev|latest|prod/)],
      ['left-pad', '1.2.0', expect.stringMatching(/dev|latest|prod/)],
      ['openssl', '3.0.11-1~deb12u1', expect.any(String)],
      ['openssl', '3.0.11-1~deb12u1', expect.any(String)],
      ['openssl', '3.0.11-1~deb12u1', expect.any(String)],
    ]);
    expect(body.packages[0]?.vuln_details).toEqual([
      {
        last_scanned_at: expect.stringMatching(/^\d{4}-/),
        vulnerabilities: [
          {
            identifier: 'GHSA-left',
            severity: 'CRITICAL',
            criticality: 'Critical',
            description: 'pads too far',
            fixed_version: '1.2.5',
            first_seen_at: expect.stringMatching(/Z$/),
            published_at: '2025-12-31T00:00:00.000Z',
            resolved_at: null,
            withdrawn_at: null,
            refers_to: 'CVE-2026-1',
            related: 'CVE-2026-9',
          },
        ],
      },
    ]);
    const seen = await get(at, tokens.viewer);
    expect(seen.body.packages.map(({ name, channel_name }) => [name, channel_name])).toEqual([
      ['left-pad', 'dev'],
      ['openssl', 'dev'],
    ]);
    const critical = await get(`${at}?criticality=Critical&identifier_starts_with=CVE-2026`, tokens.viewer);
    expect(named(critical.body)).toEqual(['left-pad 1.2.0']);
    expect(named((await get(`${at}?criticality=low&criticality=HIGH`)).body)).toEqual([]);
    expect(await get(`${at}?criticality=terrible`)).toMatchObject({ http: 400, code: 3 });
    const paged = await get(`${at}?pagination.page_size=1`, tokens.viewer);
    const next = paged.body.pagination.next_page_token;
    expect(
      named(
        (await get(`${at}?pagination.page_size=1&pagination.next_page_token=${next}`, tokens.viewer)).body,
      ),
    ).toEqual(['openssl 3.0.11-1~deb12u1']);

    const listed = await call('GET', `/buckets/${bucket}/vulnerabilities`, undefined, tokens.viewer);
    expect(listed.body).toMatchObject({
      vulnerabilities: [
        { vulnerability: { identifier: 'DSA-1', criticality: 'Medium', fixed_version: '3.0.11-1' } },
        {
          vulnerability: { identifier: 'GHSA-left' },
          impacted_builds: [{ id: build }],
          impacted_channels: [{ name: 'dev' }],
          impacted_packages: [{ name: 'left-pad', version: '1.2.0', purl: 'pkg:npm/left-pad@1.2.0' }],
        },
      ],
    });
    const summary = await call(
      'GET',
      `/buckets/${bucket}/packages/vulnerability-summary`,
      undefined,
      tokens.viewer,
    );
    expect(summary.body).toMatchObject({
      total_by_criticality: [
        { criticality: 'Critical', vulnerability_count: '1' },
        { criticality: 'Medium', vulnerability_count: '1' },
      ],
      packages_by_criticality: [
        { criticality: 'Critical', package_name: 'left-pad', vulnerability_count: '1' },
        { criticality: 'Medium', package_name: 'openssl', vulnerability_count: '1' },
      ],
      channels_by_criticality: [
        { channel_name: 'dev', criticality: 'Critical' },
        { channel_name: 'dev', criticality: 'Medium' },
      ],
    });
  });

  it('come in numbered calls, each taken once, and go when they are corrected or withdrawn', async () => {
    const musl = advisory('ALPINE-1', {
      affected: [
        {
          package: { ecosystem: 'Alpine:v3.19', name: 'musl' },
          ranges: range({ introduced: '0' }, { fixed: '1.2.4-r3' }),
        },
      ],
    });
    const importId = ulid();
    const step = (batch: number, last: boolean, advisories: readonly object[]) =>
      api.raw('POST', `/api/v1/vulnerabilities/imports/${importId}`, {
        file: 'alpine.json',
        batch,
        last,
        advisories,
      });
    expect(await step(2, false, [musl])).toMatchObject({ status: 409 });
    expect(await step(1, false, [musl, musl])).toMatchObject({ body: { advisories: 2, endedAt: null } });
    expect(await step(1, false, [])).toMatchObject({ body: { advisories: 2 } });
    const unknown = { affected: [{ package: { ecosystem: 'Nowhere', name: 'x' } }, { versions: ['1'] }] };
    const done = await step(2, true, [advisory('X-1', unknown)]);
    expect(done).toMatchObject({ body: { advisories: 2, endedAt: expect.any(String) } });

    expect(await ids()).toEqual(['ALPINE-1', 'DSA-1', 'GHSA-left']);
    // Older ones change nothing.
    await take([
      { ...musl, modified: '2025-01-01T00:00:00Z', affected: [] },
      { ...npm, modified: null },
    ]);
    await take([{ ...debian, withdrawn: '2026-02-01T00:00:00Z' }]);
    expect(await ids()).not.toContain('DSA-1');
    const trail = await api.world.registry.events.list(project, { limit: 1000 });
    const ours = trail.filter(({ subjectId }) => subjectId === importId);
    expect(ours.map(({ kind, data }) => [kind, data['done']])).toEqual([
      ['vulnerabilities.imported', false],
      ['vulnerabilities.imported', true],
    ]);
  });

  it('are found too where an upload and an import do not see one another', async () => {
    await setState('running');
    const waiting = async () => {
      const { rows } = await sql<{ count: number }>`
        select count(*)::integer as count from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(database().store.db);
      return rows[0]?.count;
    };
    // Both write an event as their last step: they stop there, with all that they have written.
    const holder = await database().connect();
    await holder.query('begin; lock table event in share row exclusive mode');
    const components = compressed([['met', '1.0.0', 'pkg:npm/met@1.0.0']]);
    const upload = call('PUT', sboms, { name: 'met', format: 'CYCLONEDX', compressed_sbom: components });
    await expect.poll(waiting).toBe(1);
    const met = { affected: [{ package: { ecosystem: 'npm', name: 'met' }, versions: ['1.0.0'] }] };
    const taken = take([advisory('GHSA-met', met)]);
    await expect.poll(waiting).toBe(2);
    await holder.query('commit');
    expect([(await upload).http, (await taken).status]).toEqual([200, 200]);
    await setState('done');
    const found = await get(
      `/buckets/${bucket}/packages/with-vulnerabilities?identifier=GHSA-met`,
      tokens.viewer,
    );
    expect(named(found.body)).toEqual(['met 1.0.0']);
  });

  it('are imported by who holds the token of the installation, and refused where they are none', async () => {
    const at = `/api/v1/vulnerabilities/imports/${ulid()}`;
    const body = { file: 'x', batch: 1, last: true, advisories: [npm] };
    expect(await api.raw('POST', at, body, tokens.contributor)).toMatchObject({ status: 403 });
    const bad = [
      { ...body, advisories: [{}] },
      { ...body, advisories: [{ ...npm, id: 'x'.repeat(300) }] },
      { ...body, advisories: [{ ...npm, affected: [{ versions: ['1'.repeat(300)] }] }] },
      { ...body, batch: 0 },
    ];
    const answers = await Promise.all(bad.map((one) => api.raw('POST', at, one)));
    expect(answers.map(({ status }) => status)).toEqual(bad.map(() => 400));
    expect(await api.raw('POST', at.slice(0, -1), body)).toMatchObject({ status: 400 });
    const odd = { ...npm, id: 'ODD-1', published: '+300000-01-01T00:00:00Z', modified: 'never' };
    expect(await take([odd])).toMatchObject({ status: 200 });
  });
});
