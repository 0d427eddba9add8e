import { constants, zstdCompressSync } from 'node:zlib';
import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { keysFrom } from '../../../src/http/keys.ts';
import { downloadUrl } from '../../../src/http/hcp/sboms/download.ts';
import { project } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import type { Api } from '../support/api.ts';
import { startApi, tokens } from '../support/api.ts';
import type { Call } from './support/hcp-calls.ts';
import { hcpCalls } from './support/hcp-calls.ts';

const database = useDatabase();
const keys = keysFrom('a token of the tests');

const cycloneDx = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  components: [
    {
      type: 'library',
      name: 'openssl',
      version: '3.0.11-1',
      purl: 'pkg:deb/debian/openssl@3.0.11-1?distro=debian-12',
      components: [{ type: 'library', name: 'inner', version: '1' }],
    },
    { type: 'file', name: '/etc/passwd' },
    { type: 'operating-system', name: 'debian', version: '12' },
    { type: 'library', name: 'x'.repeat(2000), version: '1' },
  ],
};
const spdx = {
  spdxVersion: 'SPDX-2.3',
  packages: [
    { SPDXID: 'SPDXRef-DocumentRoot-Directory-x', name: 'all' },
    {
      SPDXID: 'SPDXRef-1',
      name: 'left-pad',
      versionInfo: '1.3.0',
      externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:npm/left-pad@1.3.0' }],
    },
  ],
};

const packed = (document: unknown): string =>
  zstdCompressSync(
    typeof document === 'string' || Buffer.isBuffer(document) ? document : JSON.stringify(document),
    {
      // As Packer's "best compression", whose window is the widest that is taken.
      params: { [constants.ZSTD_c_windowLog]: 25 },
    },
  ).toString('base64');

let api: Api;
let call: Call;
let sboms: string;

async function runningBuild(): Promise<string> {
  const bucket = await api.world.line();
  const version = await api.world.open(bucket);
  // As somebody else publishes it: of a bake of ours its Packer alone tells.
  await sql`update version set request_id = null, attempt = null where id = ${version.id}`.execute(
    database().store.db,
  );
  await sql`update build set state = 'running' where version_id = ${version.id}`.execute(database().store.db);
  const { rows } = await sql<{
    id: string;
  }>`select id from build where version_id = ${version.id}`.execute(database().store.db);
  call ??= await hcpCalls(api);
  return `/buckets/${bucket}/versions/${version.fingerprint}/builds/${rows[0]?.id}/sboms`;
}

beforeAll(async () => {
  api = startApi(database(), { keys });
  sboms = await runningBuild();
});

interface Uploaded {
  readonly sbom: { readonly id: string; readonly name: string; readonly format: string };
}

const upload = (body: object, at = sboms) => call<Uploaded>('PUT', at, body);

describe('an SBOM', () => {
  it('is kept with its name or a fresh one, replaced by the same name, and downloaded as JSON', async () => {
    const named = await upload({ name: 'system', format: 'CYCLONEDX', compressed_sbom: packed(cycloneDx) });
    expect(named).toMatchObject({ http: 200, body: { sbom: { name: 'system', format: 'CYCLONEDX' } } });
    const unnamed = await upload({ name: '', format: 'SPDX', compressed_sbom: packed(spdx) });
    expect(unnamed.body.sbom.name).toMatch(/^[\dA-Z]{26}$/);
    const again = await upload({ name: 'system', format: 'CYCLONEDX', compressed_sbom: packed(cycloneDx) });
    expect(again.body.sbom).toEqual(named.body.sbom);
    const replaced = await upload({ name: 'system', format: 'SPDX', compressed_sbom: packed(spdx) });
    expect(replaced.body.sbom).toMatchObject({ id: named.body.sbom.id, format: 'SPDX' });

    const listed = await call('GET', sboms, undefined, tokens.viewer);
    expect(listed.body).toEqual({
      sboms: [unnamed.body.sbom, replaced.body.sbom].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    });
    const trail = await api.world.registry.events.list(project, { limit: 1000 });
    expect(trail.filter(({ kind }) => kind === 'sbom.uploaded')).toMatchObject([
      // Two: the nested one too, and neither a file, a system nor a name that is none.
      { data: { sbom: 'system', packages: 2 }, by: { name: 'admin' } },
      { data: { packages: 1 } },
      { data: { sbom: 'system', packages: 1 } },
    ]);

    const got = await call<{ download_url: string }>('GET', `${sboms}/system`, undefined, tokens.viewer);
    const { origin, pathname } = new URL(got.body.download_url);
    expect(origin).toBe('http://localhost');
    const file = await api.app.inject({ url: pathname });
    expect(file).toMatchObject({ statusCode: 200 });
    expect(file.headers['content-type']).toMatch(/^application\/json/);
    expect(file.json()).toEqual(spdx);
  });

  it('is not downloaded by an address that was changed, is over or is of another key', async () => {
    const { body } = await upload({ name: 'locked', format: 'SPDX', compressed_sbom: packed(spdx) });
    const now = await api.world.registry.now();
    const good = new URL(downloadUrl(keys, 'http://x', body.sbom.id, now)).pathname;
    const past = new Date(Date.parse(now) - 5 * 60_000 - 1).toISOString();
    const other = await upload({ name: 'other', format: 'SPDX', compressed_sbom: packed(spdx) });
    const bad = [
      good.replace(body.sbom.id, other.body.sbom.id),
      good.replace(/\.(\d+)\./, (_, until: string) => `.${Number(until) + 1}.`),
      good.slice(0, -1),
      `${good}.x`,
      '/downloads/sboms/x',
      new URL(downloadUrl(keysFrom('another'), 'http://x', body.sbom.id, now)).pathname,
      new URL(downloadUrl(keys, 'http://x', body.sbom.id, past)).pathname,
    ];
    const answers = await Promise.all(bad.map((url) => api.app.inject({ url })));
    expect(answers.map((one) => [one.statusCode, one.json().code])).toEqual(bad.map(() => [403, 7]));
    expect(await api.app.inject({ url: good })).toMatchObject({ statusCode: 200 });
  });

  it('is refused where it is none', async () => {
    const format = 'CYCLONEDX';
    const huge = Buffer.alloc(33 * 1024 * 1024, 0x20);
    const bad = [
      { format, compressed_sbom: 'AAAA' },
      { format, compressed_sbom: '%%%' },
      { format, compressed_sbom: packed(cycloneDx).slice(0, 40) },
      { format, compressed_sbom: packed('<xml/>') },
      { format, compressed_sbom: packed([]) },
      { format, compressed_sbom: packed(spdx) },
      { format: 'SPDX', compressed_sbom: packed(cycloneDx) },
      { format, compressed_sbom: packed({ ...cycloneDx, components: [] }) },
      { format, compressed_sbom: packed({ ...cycloneDx, components: 'x' }) },
      { format, compressed_sbom: packed('['.repeat(5_000_000)) },
      { format, compressed_sbom: packed(huge) },
      { format: 'cyclonedx', compressed_sbom: packed(cycloneDx) },
      { format, name: 'no', compressed_sbom: packed(cycloneDx) },
      { format, name: 'a_b_c', compressed_sbom: packed(cycloneDx) },
      { format },
    ];
    const codes = [];
    for (const body of bad) {
      const { http, code } = await upload(body);
      codes.push([http, code]);
    }
    expect(codes).toEqual(bad.map(() => [400, 3]));
    const odd = { type: 'library', name: 'a\0b\ud800', version: '\0', purl: 'pkg:npm/%%%' };
    const kept = await upload({
      name: 'odd',
      format,
      compressed_sbom: packed({ ...cycloneDx, components: [odd] }),
    });
    expect(kept.http).toBe(200);
  });

  it('is walked however many components one of its components holds, up to what is taken', async () => {
    const format = 'CYCLONEDX';
    const nested = (count: number, inner: string) => {
      const held = `${`${inner},`.repeat(count - 1)}${inner}`;
      return packed(`{"bomFormat":"CycloneDX","components":[{"name":"outer","components":[${held}]}]}`);
    };
    expect(await upload({ name: 'nested', format, compressed_sbom: nested(200_000, '{}') })).toMatchObject({
      http: 200,
    });
    const most = 'the SBOM holds more than 1000000 objects and lists';
    for (const inner of ['{}', '[]']) {
      expect(await upload({ format, compressed_sbom: nested(1_000_000, inner) })).toMatchObject({
        http: 400,
        code: 3,
        message: expect.stringContaining(most),
      });
    }
    const many = Array.from({ length: 100_001 }, (_, index) => ({ name: `p${index}` }));
    expect(
      await upload({ format, compressed_sbom: packed({ bomFormat: 'CycloneDX', components: many }) }),
    ).toMatchObject({ http: 400, code: 3, message: expect.stringContaining('more than 100000 packages') });
    const versions = Array.from({ length: 501 }, (_, index) => ({
      name: `linux-image-${index}`,
      purl: `pkg:deb/debian/linux-image-${index}@1?upstream=linux&distro=debian-12`,
    }));
    expect(
      await upload({ format, compressed_sbom: packed({ bomFormat: 'CycloneDX', components: versions }) }),
    ).toMatchObject({ http: 400, code: 3, message: expect.stringContaining('more than 500 packages') });
  });

  it('is taken while its build runs, from contributors of its bucket', async () => {
    const at = await runningBuild();
    const body = { name: 'late', format: 'SPDX', compressed_sbom: packed(spdx) };
    expect(await call('PUT', at, body, tokens.viewer)).toMatchObject({ http: 403, code: 7 });
    const id = at.split('/').at(-2) ?? '';
    await sql`update build set state = 'done' where id = ${id}`.execute(database().store.db);
    expect(await upload(body, at)).toMatchObject({
      http: 400,
      code: 3,
      message: "This build's status isn't Running",
    });
    // Told before the content is looked at.
    expect(await upload({ ...body, compressed_sbom: 'AAAA' }, at)).toMatchObject({
      message: "This build's status isn't Running",
    });
    expect(await upload(body, at.replace(id, '01ARZ3NDEKTSV4RRFFQ69G5FAV'))).toMatchObject({
      http: 404,
      code: 5,
    });
    expect(await call('GET', `${at}/late`)).toMatchObject({ http: 404, code: 5 });
  });
});
