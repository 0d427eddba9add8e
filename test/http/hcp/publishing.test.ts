/** The calls by which Packer publishes, as its client writes them. */
import { randomUUID } from 'node:crypto';
import { ulid } from 'ulid';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { project } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import { type Api, startApi, tokens } from '../support/api.ts';
import { tokenOf } from '../support/token-of.ts';
import { type Hcp, hcpOf } from './support/hcp.ts';

const database = useDatabase({ connections: 10 });
let api: Api;
let hcp: Hcp;
beforeAll(async () => {
  api = startApi(database());
  await api.world.lineWithVersion();
  hcp = await hcpOf(api);
});

const name = () => `pub-${ulid().slice(-12).toLowerCase()}`;

async function openVersion(bucket: string, fingerprint = ulid()): Promise<string> {
  const made = await hcp.call('POST', `~/buckets/${bucket}/versions`, { fingerprint, template_type: 'HCL2' });
  expect(made).toMatchObject({
    status: 200,
    body: { version: { fingerprint, name: 'v0', template_type: 'HCL2', builds: [] } },
  });
  return `~/buckets/${bucket}/versions/${fingerprint}`;
}

async function openBuild(version: string, component: string, more: object = {}): Promise<string> {
  const made = await hcp.call('POST', `${version}/builds`, {
    component_type: component,
    status: 'BUILD_UNSET',
    artifacts: null,
    ...more,
  });
  expect(made.message).toBe('');
  const { build } = z.object({ build: z.object({ id: z.string() }) }).parse(made.body);
  return `${version}/builds/${build.id}`;
}

async function openBucket(): Promise<string> {
  const bucket = name();
  expect((await hcp.call('PUT', '~/buckets', { name: bucket })).status).toBe(200);
  return bucket;
}

const run = randomUUID();
const running = { status: 'BUILD_RUNNING', packer_run_uuid: run, artifacts: null };
const done = (id: string) => ({
  status: 'BUILD_DONE',
  packer_run_uuid: run,
  platform: 'packer.file',
  labels: { git_sha: 'abc' },
  metadata: { packer: { version: '1.16.0', plugins: [] }, vcs: null },
  source_external_identifier: '<no-defined-source-file>',
  artifacts: [{ external_identifier: id, region: '/images' }, { region: 'no image' }],
});

test('a run of two sources publishes: bucket, version, builds, heartbeats, the end', async () => {
  const bucket = name();
  const made = await hcp.call('PUT', '~/buckets', { name: bucket, description: 'd', labels: { a: 'b' } });
  expect(made.body).toMatchObject({
    bucket: { name: bucket, description: 'd', labels: { a: 'b' }, version_count: '0', latest_version: null },
  });
  const version = await openVersion(bucket);
  const one = await openBuild(version, 'file.one', { packer_run_uuid: run });
  const two = await openBuild(version, 'file.two', { packer_run_uuid: run });
  expect(await openBuild(version, 'file.two', { packer_run_uuid: run })).toBe(two);
  for (const build of [one, two, one]) {
    const answer = await hcp.call('PATCH', build, running);
    expect(answer.body).toMatchObject({ build: { status: 'BUILD_RUNNING', packer_run_uuid: run } });
  }
  await hcp.call('PATCH', one, done('one'));
  expect((await hcp.get(version)).body).toMatchObject({ version: { name: 'v0', status: 'VERSION_RUNNING' } });
  const last = await hcp.call('PATCH', two, done('two'));
  expect(last.body).toMatchObject({
    build: {
      status: 'BUILD_DONE',
      platform: 'packer.file',
      labels: { git_sha: 'abc' },
      metadata: { packer: { version: '1.16.0' } },
      artifacts: [{ external_identifier: 'two', region: '/images' }],
    },
  });
  expect((await hcp.get(version)).body).toMatchObject({ version: { name: 'v1', status: 'VERSION_ACTIVE' } });
  expect((await hcp.get(`~/buckets/${bucket}/channels/latest`)).body).toMatchObject({
    channel: { managed: true, restricted: true, author_id: 'HCP Packer', version: { name: 'v1' } },
  });
  expect((await hcp.get(`~/buckets/${bucket}`)).body).toMatchObject({
    bucket: { version_count: '1', platforms: ['packer.file'], latest_version: { name: 'v1' } },
  });
  // The answer to the last call was lost: it is asked again, and then given up.
  expect((await hcp.call('PATCH', two, done('two'))).status).toBe(200);
  expect(await hcp.call('PATCH', two, { ...running, status: 'BUILD_FAILED' })).toMatchObject({
    status: 400,
    code: 9,
  });
});

test('the call shapes of the acceptance tests of the Terraform provider', async () => {
  const bucket = await openBucket();
  const fingerprint = ulid();
  await hcp.call('POST', `~/buckets/${bucket}/versions`, { fingerprint });
  const version = `~/buckets/${bucket}/versions/${fingerprint}`;
  const build = await openBuild(version, 'amazon-ebs.example', {
    status: 'BUILD_RUNNING',
    packer_run_uuid: randomUUID(),
    platform: 'aws',
    labels: { key: 'value' },
  });
  const ended = await hcp.call('PATCH', build, {
    status: 'BUILD_DONE',
    packer_run_uuid: randomUUID(),
    artifacts: [{ external_identifier: 'ami-1', region: 'us-east-1' }],
  });
  expect(ended.body).toMatchObject({
    build: { status: 'BUILD_DONE', platform: 'aws', labels: { key: 'value' } },
  });
  expect((await hcp.get(version)).body).toMatchObject({ version: { name: 'v1' } });
});

test('labels of a build are as many and as long as its maker has them: a refusal would lose an image', async () => {
  const version = await openVersion(await openBucket());
  const build = await openBuild(version, 'file.one', running);
  const entries = Array.from({ length: 300 }, (_, at) => [`${'k'.repeat(300)}${at}`, 'v'.repeat(2_000)]);
  const labels = Object.fromEntries(entries);
  const some = Object.fromEntries(entries.slice(0, 150).map(([key]) => [`${key}-`, 'v'.repeat(4_000)]));
  await hcp.call('PATCH', build, { ...running, labels: some });
  expect(await hcp.call('PATCH', build, { ...running, labels })).toMatchObject({ status: 400, code: 3 });
  const other = await openBuild(version, 'file.two', running);
  const ended = await hcp.call('PATCH', other, { ...done('one'), labels });
  expect(ended).toMatchObject({ status: 200, body: { build: { labels } } });
});

test('an update of a bucket replaces what it says, and takes no platforms', async () => {
  const bucket = await openBucket();
  const patch = async (body: object) => (await hcp.call('PATCH', `~/buckets/${bucket}`, body)).body;
  expect(await patch({ description: 'd', labels: { a: 'b' }, platforms: ['aws'] })).toMatchObject({
    bucket: { description: 'd', labels: { a: 'b' }, platforms: [] },
  });
  expect(await patch({ platforms: null })).toMatchObject({ bucket: { description: '', labels: {} } });
});

test('refusals carry the numbers that clients match', async () => {
  const bucket = await openBucket();
  const version = await openVersion(bucket);
  const build = await openBuild(version, 'file.one');
  const refused = async (code: number, ...call: Parameters<Hcp['call']>) => {
    const answer = await hcp.call(...call);
    expect([call[1], answer.code, answer.message]).toEqual([call[1], code, expect.any(String)]);
    return answer;
  };
  const nowhere = `~/buckets/${name()}`;
  await refused(6, 'PUT', '~/buckets', { name: bucket });
  await refused(3, 'PUT', '~/buckets', { name: 'a b' });
  await refused(3, 'PUT', '~/buckets', {});
  await refused(5, 'PATCH', nowhere, { description: '' });
  await refused(5, 'POST', `${nowhere}/versions`, { fingerprint: 'a' });
  await refused(3, 'POST', `~/buckets/${bucket}/versions`, { fingerprint: '-' });
  await refused(5, 'POST', `~/buckets/${bucket}/versions/none/builds`, { component_type: 'a' });
  await refused(5, 'PATCH', `${version}/builds/${ulid()}`, running);
  await refused(3, 'POST', `${version}/builds`, { component_type: '' });
  await refused(3, 'POST', `${version}/builds`, { component_type: 'a', source_external_identifier: 'b' });
  await refused(3, 'PATCH', build, { parent_channel_id: ulid() });
  await refused(3, 'PATCH', build, { status: 'BUILD_ODD' });
  await refused(3, 'PATCH', build, {
    status: 'BUILD_DONE',
    artifacts: [{ external_identifier: 'é'.repeat(600) }],
  });
  await refused(9, 'PATCH', build, { status: 'BUILD_DONE' });
  await refused(5, 'PATCH', build, { parent_version_id: ulid() });
  await hcp.call('PATCH', build, { platform: 'aws' });
  expect((await refused(6, 'PATCH', build, { platform: 'azure' })).message).toContain(
    "You cannot override a build's Platform if it has already been set",
  );
  await refused(7, 'PATCH', build, running, tokens.viewer);
});

test('a parent in a bucket that the caller may not read does not exist for him', async () => {
  const base = await api.world.lineWithVersion();
  const bucket = await openBucket();
  const version = await openVersion(bucket);
  const build = await openBuild(version, 'file.one', running);
  const end = { ...done('one'), parent_version_id: base.version.id };
  const blind = await tokenOf(api, 'blind-one', null, [{ bucket, role: 'contributor' }]);
  expect(await hcp.call('PATCH', build, end, blind)).toMatchObject({ status: 404, code: 5 });
  const seeing = await tokenOf(api, 'seeing-one', null, [
    { bucket, role: 'contributor' },
    { bucket: base.bucket, role: 'viewer' },
  ]);
  expect((await hcp.call('PATCH', build, end, seeing)).status).toBe(200);
  const { parents } = await api.world.registry.versions.find(project, bucket, 'v1');
  expect(parents).toMatchObject([{ versionId: base.version.id, bucket: base.bucket }]);
});

test('200 builds of 20 versions that are told done at once give 20 numbers without a gap, and `latest` the newest', async () => {
  const bucket = await openBucket();
  const versions = await Promise.all(Array.from({ length: 20 }, () => openVersion(bucket)));
  const sources = Array.from({ length: 10 }, (_, index) => `file.${index}`);
  const builds = await Promise.all(
    versions.flatMap((version) =>
      sources.map((source) => openBuild(version, source, { ...running, artifacts: null })),
    ),
  );
  const answers = await Promise.all(builds.map((build) => hcp.call('PATCH', build, done(build.slice(-26)))));
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  const shape = z.object({ version: z.object({ name: z.string(), status: z.string() }) });
  const shown = await Promise.all(
    versions.map(async (path) => shape.parse((await hcp.get(path)).body).version),
  );
  const all = Array.from({ length: 20 }, (_, index) => ({ name: `v${index + 1}`, status: 'VERSION_ACTIVE' }));
  expect(shown).toHaveLength(20);
  expect(shown).toEqual(expect.arrayContaining(all));
  const latest = z.object({ channel: shape });
  expect(latest.parse((await hcp.get(`~/buckets/${bucket}/channels/latest`)).body).channel.version.name).toBe(
    'v20',
  );
});
