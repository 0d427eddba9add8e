/** Stock Packer publishes here through its own environment variables, with builders that need no plugin and no cloud. Temporal is away. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useDatabase } from '../support/database.ts';
import { until } from '../support/installation.ts';
import { build, hasPacker, startPacker, templateIn } from './support/packer.ts';
import type { Environment, StockServer } from './support/server.ts';
import { startStockServer } from './support/server.ts';

const database = useDatabase();
let server: StockServer;
let env: Environment;

beforeAll(async () => {
  server = await startStockServer(database().url);
  env = await server.environment('packer', 'contributor');
});
afterAll(() => server.stop());

interface Source {
  readonly name: string;
  /** Commands that this machine runs while it is built. */
  readonly runs?: string;
}

/** Sources of the builder `null`, in a registry block. */
const template = (bucket: string, sources: readonly Source[], registry = ''): string => `
hcp_packer_registry {
  bucket_name = "${bucket}"
  description = "made by stock Packer"
  bucket_labels = { "team" = "tests" }
  build_labels = { "stage" = "test" }
  ${registry}
}
source "null" "any" {
  communicator = "none"
}
build {
${sources.map(({ name }) => `  source "null.any" {\n    name = "${name}"\n  }`).join('\n')}
${sources
  .filter(({ runs }) => runs !== undefined)
  .map(
    ({ name, runs }) =>
      `  provisioner "shell-local" {\n    only = ["null.${name}"]\n    inline = [${JSON.stringify(runs)}]\n  }`,
  )
  .join('\n')}
}
`;

const newBucket = (): string => `stock-${randomUUID().slice(0, 8)}`;
const versions = async (bucket: string) =>
  (await server.call('GET', `/buckets/${bucket}/versions`)).body.versions;
const version = async (bucket: string, fingerprint: string) =>
  (await server.call('GET', `/buckets/${bucket}/versions/${fingerprint}`)).body.version;
const channel = async (bucket: string, name: string) =>
  (await server.call('GET', `/buckets/${bucket}/channels/${name}`)).body.channel;
const as = (fingerprint: string): Environment => ({ ...env, HCP_PACKER_BUILD_FINGERPRINT: fingerprint });
const states = (of: { builds: readonly { component_type: string; status: string }[] }) =>
  Object.fromEntries(of.builds.map((one) => [one.component_type, one.status]));

it('stock Packer is here', () => {
  if (hasPacker) return;
  const said =
    'not tested with stock Packer (run `node scripts/bootstrap.mjs scripts/setup/packer-latest.ts`)';
  if (process.env['CI'] !== undefined) throw new Error(said);
  process.stderr.write(`${said}\n`);
});

describe.runIf(hasPacker)('stock Packer', () => {
  it('publishes a version of one source, and the next one, with all that it knows of them', async () => {
    const bucket = newBucket();
    const folder = templateIn(server.folder, template(bucket, [{ name: 'one' }]));
    const first = await build(as('first'), folder);
    expect(first, first.said).toMatchObject({ code: 0 });
    const second = await build(env, folder);
    expect(second, second.said).toMatchObject({ code: 0 });

    expect((await versions(bucket)).map(({ name }: { name: string }) => name).toSorted()).toEqual([
      'v1',
      'v2',
    ]);
    expect(await version(bucket, 'first')).toMatchObject({
      name: 'v1',
      status: 'VERSION_ACTIVE',
      author_id: 'packer',
      template_type: 'HCL2',
      builds: [
        {
          component_type: 'null.one',
          status: 'BUILD_DONE',
          platform: 'null',
          labels: { stage: 'test' },
          artifacts: [{ external_identifier: 'Null', region: 'null' }],
          metadata: { packer: { version: '1.16.0' } },
        },
      ],
    });
    expect((await channel(bucket, 'latest')).version).toMatchObject({ name: 'v2' });
    expect((await server.call('GET', `/buckets/${bucket}`)).body.bucket).toMatchObject({
      description: 'made by stock Packer',
      labels: { team: 'tests' },
      platforms: ['null'],
      version_count: '2',
    });
  });

  it('publishes one version of several sources that end at once', async () => {
    const bucket = newBucket();
    const sources = ['a', 'b', 'c', 'd'].map((name) => ({ name }));
    const ran = await build(as('many'), templateIn(server.folder, template(bucket, sources)));
    expect(ran, ran.said).toMatchObject({ code: 0 });

    const published = await version(bucket, 'many');
    expect(published).toMatchObject({ name: 'v1', status: 'VERSION_ACTIVE' });
    expect(states(published)).toEqual({
      'null.a': 'BUILD_DONE',
      'null.b': 'BUILD_DONE',
      'null.c': 'BUILD_DONE',
      'null.d': 'BUILD_DONE',
    });
    expect((await channel(bucket, 'latest')).version).toMatchObject({ fingerprint: 'many' });
  });

  it('leaves a version open that it was told to build in part, and completes it when it resumes', async () => {
    const bucket = newBucket();
    const folder = templateIn(server.folder, template(bucket, [{ name: 'one' }, { name: 'two' }]));
    const part = await build(as('parts'), folder, ['-only=null.one']);
    expect(part, part.said).toMatchObject({ code: 0 });
    const open = await version(bucket, 'parts');
    expect(open).toMatchObject({ name: 'v0', status: 'VERSION_INCOMPLETE' });
    expect(states(open)).toEqual({ 'null.one': 'BUILD_DONE', 'null.two': 'BUILD_UNSET' });
    expect((await channel(bucket, 'latest')).version).toBeNull();

    const rest = await build(as('parts'), folder);
    expect(rest.said).toContain('is already done');
    expect(await version(bucket, 'parts')).toMatchObject({ name: 'v1', status: 'VERSION_ACTIVE' });
    expect((await versions(bucket)).length).toBe(1);

    const late = await build(as('parts'), folder);
    expect(late.code).not.toBe(0);
    expect(late.said).toContain('is complete');
  });

  it('leaves a version open whose build failed, and completes it once it can', async () => {
    const bucket = newBucket();
    const marker = path.join(mkdtempSync(path.join(server.folder, 'mend-')), 'mended');
    const sources = [{ name: 'good' }, { name: 'bad', runs: `test -e ${marker}` }];
    const folder = templateIn(server.folder, template(bucket, sources));
    const failed = await build(as('mended'), folder);
    expect(failed.code).toBe(1);
    const open = await version(bucket, 'mended');
    expect(open).toMatchObject({ name: 'v0', status: 'VERSION_FAILED' });
    expect(states(open)).toEqual({ 'null.good': 'BUILD_DONE', 'null.bad': 'BUILD_FAILED' });

    writeFileSync(marker, '');
    await build(as('mended'), folder);

    expect(await version(bucket, 'mended')).toMatchObject({ name: 'v1', status: 'VERSION_ACTIVE' });
  });

  it('says that it was interrupted, and the version can be resumed', async () => {
    const bucket = newBucket();
    const folder = templateIn(
      server.folder,
      template(bucket, [{ name: 'slow', runs: 'echo begun; sleep 300' }]),
    );
    const running = startPacker(as('interrupted'), folder);
    await until('the provisioner runs', () => running.said().includes('null.slow: begun'));
    expect(await version(bucket, 'interrupted')).toMatchObject({ name: 'v0', status: 'VERSION_RUNNING' });
    running.signal('SIGTERM');
    const { code } = await running.ended;

    expect(code).not.toBe(0);
    const open = await version(bucket, 'interrupted');
    expect(open).toMatchObject({ name: 'v0', status: 'VERSION_CANCELLED' });
    expect(states(open)).toEqual({ 'null.slow': 'BUILD_CANCELLED' });
    writeFileSync(path.join(folder, 'image.pkr.hcl'), template(bucket, [{ name: 'slow' }]));
    await build(as('interrupted'), folder);
    expect(await version(bucket, 'interrupted')).toMatchObject({ name: 'v1' });
  });

  it('puts its version on the channels that the template names, and goes on where there is none', async () => {
    const bucket = newBucket();
    await server.call('PUT', '/buckets', { name: bucket, description: 'made by stock Packer' });
    for (const name of ['dev', 'prod']) await server.call('POST', `/buckets/${bucket}/channels`, { name });
    const named = templateIn(
      server.folder,
      template(bucket, [{ name: 'one' }], 'channels = ["dev", "prod"]'),
    );
    const ran = await build(as('on-channels'), named);
    expect(ran, ran.said).toMatchObject({ code: 0 });
    for (const name of ['dev', 'prod', 'latest']) {
      expect((await channel(bucket, name)).version).toMatchObject({ fingerprint: 'on-channels' });
    }

    const missing = templateIn(server.folder, template(bucket, [{ name: 'one' }], 'channels = ["nowhere"]'));
    const went = await build(as('off-channels'), missing);
    expect(went.said).toContain('does not exist');
    expect(await version(bucket, 'off-channels')).toMatchObject({ name: 'v2' });
    expect((await channel(bucket, 'dev')).version).toMatchObject({ fingerprint: 'on-channels' });
  });

  it('runs the provisioners that the registry enforces', async () => {
    const bucket = newBucket();
    await server.call('PUT', '/buckets', { name: bucket });
    const trace = path.join(mkdtempSync(path.join(server.folder, 'enforced-')), 'trace');
    const { body } = await server.call('PUT', '/enforced_blocks', {
      name: `leave-a-trace-${bucket.slice(-8)}`,
      version: '1.0.0',
      template_type: 'HCL2',
      block_content: `provisioner "shell-local" {\n  inline = ["echo ran >> ${trace}"]\n}\n`,
    });
    const { id } = body.enforced_block;
    const { body: all } = await server.call('GET', `/enforced_blocks/${id}/versions`);
    const versionId = all.enforced_block_detail[0].version.id;
    const linked = await server.call('POST', `/enforced_blocks/${id}/versions/${versionId}/buckets`, {
      bucket_names: [bucket],
    });
    expect(linked).toMatchObject({ http: 200 });
    const sources = [{ name: 'one' }, { name: 'two' }];
    const folder = templateIn(server.folder, template(bucket, sources));
    const ran = await build(env, folder);
    expect(ran, ran.said).toMatchObject({ code: 0 });
    expect(readFileSync(trace, 'utf8')).toBe('ran\nran\n');

    await build(env, folder, ['-skip-enforcement']);
    expect(readFileSync(trace, 'utf8')).toBe('ran\nran\n');
  });

  it('builds on a parent of the registry, which is recorded, and on no revoked one', async () => {
    const [base, child] = [newBucket(), newBucket()];
    const images = mkdtempSync(path.join(server.folder, 'images-'));
    writeFileSync(path.join(images, 'image.pkr.hcl'), fileTemplate(base, 'content = "base"', 'base.img'));
    expect(await build(as('parent'), images)).toMatchObject({ code: 0 });
    await server.call('POST', `/buckets/${base}/channels`, { name: 'prod', version_fingerprint: 'parent' });
    writeFileSync(
      path.join(images, 'image.pkr.hcl'),
      `data "hcp-packer-artifact" "base" {
  bucket_name = "${base}"
  channel_name = "prod"
  platform = "packer.file"
  region = "."
}
${fileTemplate(child, 'source = data.hcp-packer-artifact.base.external_identifier', 'child.img')}`,
    );
    const ran = await build(as('child'), images);
    expect(ran, ran.said).toMatchObject({ code: 0 });
    expect(readFileSync(path.join(images, 'child.img'), 'utf8')).toBe('base');

    const { body } = await server.call('GET', `/buckets/${child}/ancestry?type=ANCESTRY_TYPE_PARENTS`);
    expect(body.relations).toMatchObject([
      {
        parent: { bucket_name: base, version_fingerprint: 'parent', channel_name: 'prod' },
        child: { bucket_name: child, version_fingerprint: 'child' },
        status: 'UP_TO_DATE',
      },
    ]);
    expect(await version(base, 'parent')).toMatchObject({ has_descendants: true });

    const revoked = await server.call('PATCH', `/buckets/${base}/versions/parent`, {
      revoke_in: '0s',
      revocation_message: 'a hole',
      disable_rollback_channels: true,
    });
    expect(revoked).toMatchObject({ http: 200 });
    expect(await version(child, 'child')).toMatchObject({
      status: 'VERSION_REVOKED',
      revocation_type: 'INHERITED',
    });
    const refused = await build(as('orphan'), images);
    expect(refused.code).toBe(1);
    expect(refused.said).toContain('revoked');
    expect(await versions(child)).toHaveLength(1);
    expect(existsSync(path.join(images, 'orphan.img'))).toBe(false);
  });

  it('is refused what its role does not reach, before it builds', async () => {
    const bucket = newBucket();
    const viewer = await server.environment('looks-only', 'viewer');
    const ran = await build(viewer, templateIn(server.folder, template(bucket, [{ name: 'one' }])));

    expect(ran.code).toBe(1);
    expect(ran.said).toContain('needs the role contributor');
    expect((await server.call('GET', `/buckets/${bucket}`)).http).toBe(404);
  });
});

/** The builder `file`, whose images are files of the folder that Packer runs in. */
const fileTemplate = (bucket: string, from: string, target: string): string => `
hcp_packer_registry {
  bucket_name = "${bucket}"
}
source "file" "image" {
  ${from}
  target = "${target}"
}
build {
  sources = ["source.file.image"]
}
`;
