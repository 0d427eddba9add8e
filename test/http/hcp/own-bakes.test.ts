/** What the Packer of a bake of ours may tell and is shown. */
import { zstdCompressSync } from 'node:zlib';
import { sql } from 'kysely';
import { ulid } from 'ulid';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { Version } from '../../../src/domain/version.ts';
import { hcpOperations } from '../../../src/http/hcp/operations.ts';
import { newClientSecret } from '../../../src/http/credentials.ts';
import { ann, home, project, refusal } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import { type Api, startApi } from '../support/api.ts';
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

/** A bake that has come to its Packer: an attempt, and a principal for it. */
async function aBake(parents: readonly Version[] = []) {
  const { registry } = api.world;
  const bucket = await api.world.line({ parents: parents.map((parent) => parent.bucket) });
  const asked = { project, bucket, kind: 'bake', variables: {}, by: ann } as const;
  const { request } = await registry.requests.accept(asked);
  const version = await registry.bakes.openVersion(request.id, 1);
  const attemptId = ulid();
  const attempt = { attemptId, versionId: version.id, hostId: 'host', timeLimitMs: 60_000 };
  await registry.bakes.openAttempt(attempt);
  const { clientId, secret, digest } = newClientSecret();
  await registry.principals.create({
    id: ulid(),
    project,
    name: `bake-${attemptId}`,
    secret: { clientId, digest },
    attemptId,
    role: null,
    buckets: [
      { bucket, role: 'contributor' },
      ...parents.map((parent) => ({ bucket: parent.bucket, role: 'viewer' as const })),
    ],
    by: ann,
  });
  const payload = { grant_type: 'client_credentials', client_id: clientId, client_secret: secret };
  const answer = await api.app.inject({ method: 'POST', url: '/oauth2/token', payload });
  const { access_token: token } = answer.json<{ access_token: string }>();
  const path = `~/buckets/${bucket}/versions/${version.fingerprint}`;
  const open = (source: string, by = token) =>
    hcp.call('POST', `${path}/builds`, { component_type: source, status: 'BUILD_UNSET' }, by);
  const opened = async (source: string) => {
    const { body } = await open(source);
    return `${path}/builds/${z.object({ build: z.object({ id: z.string() }) }).parse(body).build.id}`;
  };
  const tell = (build: string, said: object) => hcp.call('PATCH', build, said, token);
  return { bucket, version, attemptId, principal: `bake-${attemptId}`, token, path, open, opened, tell };
}

const running = (run: string) => ({ status: 'BUILD_RUNNING', packer_run_uuid: run });
const done = (run: string, more: object = {}) => ({
  status: 'BUILD_DONE',
  packer_run_uuid: run,
  platform: 'aws',
  labels: { git_sha: 'abc' },
  metadata: { packer: { version: run } },
  artifacts: [{ external_identifier: 'ami-1', region: 'eu' }],
  ...more,
});

test('its builds are told of, and its workflow alone says what was made and completes it', async () => {
  const { bakes, versions } = api.world.registry;
  const { bucket, version, attemptId, opened, tell } = await aBake();
  const build = await opened('file.one');
  await opened('file.unasked');
  await tell(build, running('first'));
  expect((await tell(build, done('first'))).body).toMatchObject({
    build: { status: 'BUILD_RUNNING', labels: { git_sha: 'abc' }, artifacts: [] },
  });
  expect((await versions.get(version.id)).state).toBe('running');
  // Lost, and made anew elsewhere.
  await tell(build, running('second'));
  expect((await tell(build, done('second'))).status).toBe(200);

  await bakes.recordBuilds(attemptId, [
    { source: 'file.one', state: 'done', images: [{ target: home, imageId: 'one' }] },
  ]);
  const complete = await bakes.completeVersion(version.id, ann);
  expect(complete).toMatchObject({ name: 'v1', bucket });
  expect(complete.builds.map(({ source }) => source)).toEqual(['file.one']);
  expect((await hcp.get(build)).body).toMatchObject({
    build: { status: 'BUILD_DONE', platform: 'aws', artifacts: [{ external_identifier: 'one' }] },
  });
});

test.each([
  ['bake.json', 'JSON'],
  ['bake.pkr.json', 'HCL2'],
  ['bake.pkr.hcl', 'HCL2'],
  ['.', 'HCL2'],
])('its Packer is shown the template type that it reads of %s: %s', async (entry, type) => {
  const { version, path, token } = await aBake();
  await database()
    .store.db.updateTable('version')
    .set({ template: sql`template || jsonb_build_object('entry', ${entry}::text)` })
    .where('id', '=', version.id)
    .execute();
  expect((await hcp.get(path, token)).body).toMatchObject({ version: { template_type: type } });
});

test('nobody else tells of it, and nobody once its Packer is over', async () => {
  const { bucket, attemptId, open } = await aBake();
  const other = await tokenOf(api, `ci-${ulid().slice(-8)}`, null, [{ bucket, role: 'contributor' }]);
  const another = await aBake();
  for (const token of [other, another.token]) {
    expect((await open('file.one', token)).status).not.toBe(200);
  }
  expect(await open('file.one', other)).toMatchObject({ status: 400, code: 9 });
  expect((await open('file.one')).status).toBe(200);
  await api.world.registry.bakes.closeAttempt(attemptId, 'ended');
  expect(await open('file.one')).toMatchObject({ status: 400, code: 9 });
});

test('its SBOMs are taken from its Packer alone', async () => {
  const { bucket, attemptId, token, opened, tell } = await aBake();
  const other = await tokenOf(api, `ci-${ulid().slice(-8)}`, null, [{ bucket, role: 'contributor' }]);
  const build = await opened('file.one');
  await tell(build, running('first'));
  const compressed = zstdCompressSync(
    '{"bomFormat":"CycloneDX","components":[{"type":"library","name":"openssl","version":"3"}]}',
  ).toString('base64');
  const upload = (by?: string) => {
    const sbom = { name: 'all', format: 'CYCLONEDX', compressed_sbom: compressed };
    return hcp.call('PUT', `${build}/sboms`, sbom, by);
  };
  const refused = { status: 400, code: 9, message: expect.stringContaining('and by nobody else') as unknown };
  expect(await upload(other)).toMatchObject(refused);
  expect(await upload()).toMatchObject(refused);
  expect((await upload(token)).status).toBe(200);
  expect(await upload(other)).toMatchObject(refused);
  await api.world.registry.bakes.closeAttempt(attemptId, 'ended');
  expect((await upload(token)).status).not.toBe(200);
});

test('it goes on while the registry is deactivated for others', async () => {
  const { version: pinned } = await api.world.lineWithVersion();
  const { bucket, token, path, opened, tell } = await aBake([pinned]);
  await hcp.call('DELETE', '~/registry');
  try {
    expect(await hcp.get(`~/buckets/${bucket}`)).toMatchObject({ status: 400, code: 9 });
    for (const read of [`~/buckets/${bucket}`, path, `~/buckets/${pinned.bucket}/channels/dev`]) {
      expect((await hcp.get(read, token)).status).toBe(200);
    }
    expect((await tell(await opened('file.one'), running('first'))).status).toBe(200);
  } finally {
    await hcp.call('PUT', '~/registry', {});
  }
});

test('it sees the parent that was pinned, and no other one becomes its parent', async () => {
  const { bucket: base, version: pinned } = await api.world.lineWithVersion();
  const { opened, tell, token } = await aBake([pinned]);
  const newer = await api.world.bake(base);
  await api.world.assign(newer, 'dev');
  const shown = async (by?: string) =>
    z
      .object({ channel: z.object({ version: z.object({ id: z.string() }) }) })
      .parse((await hcp.get(`~/buckets/${base}/channels/dev`, by)).body).channel.version.id;
  expect(await shown()).toBe(newer.id);
  expect(await shown(token)).toBe(pinned.id);

  const build = await opened('file.one');
  const refused = await tell(build, { ...running('first'), parent_version_id: newer.id });
  expect(refused).toMatchObject({ status: 400, code: 9 });
  expect(refused.message).toContain(`${base} v2, and its image line names ${base} v1 as its parent`);
  expect((await tell(build, { ...running('first'), parent_version_id: pinned.id })).status).toBe(200);
});

test('it sees the parent that was pinned also by a restricted channel, in both versions of the API', async () => {
  const { bucket: base, version: pinned } = await api.world.lineWithVersion();
  const channel = `~/buckets/${base}/channels/dev`;
  expect((await hcp.call('PATCH', channel, { restricted: true, update_mask: 'restricted' })).status).toBe(
    200,
  );
  const { token } = await aBake([pinned]);
  await api.world.assign(await api.world.bake(base), 'dev');
  expect(await hcp.get(channel, token)).toMatchObject({
    status: 200,
    body: { channel: { restricted: true, version: { id: pinned.id } } },
  });
  const older = `/packer/2021-04-30/organizations/${hcp.organizationId}/projects/${hcp.projectId}/images/${base}`;
  expect(await hcp.get(`${older}/channels/dev`, token)).toMatchObject({
    status: 200,
    body: { channel: { iteration: { id: pinned.id }, pointer: { iteration: { id: pinned.id } } } },
  });

  const { token: other } = await aBake();
  expect(await hcp.get(channel, other)).toMatchObject({ status: 403, code: 7 });
});

test('a version that somebody else publishes is adopted with its last build, where the line asks for it', async () => {
  const bucket = await api.world.line({ adopt: true });
  const path = `~/buckets/${bucket}/versions`;
  await hcp.call('POST', path, { fingerprint: 'theirs', template_type: 'HCL2' });
  const opened = await hcp.call('POST', `${path}/theirs/builds`, {
    component_type: 'file.one',
    status: 'BUILD_UNSET',
  });
  const { build } = z.object({ build: z.object({ id: z.string() }) }).parse(opened.body);
  const at = `${path}/theirs/builds/${build.id}`;
  await hcp.call('PATCH', at, running('run'));
  const { requests } = api.world.registry;
  expect(await requests.list(project, { bucket })).toEqual([]);
  for (const _repeat of [1, 2]) expect((await hcp.call('PATCH', at, done('run'))).status).toBe(200);
  expect(await requests.list(project, { bucket })).toMatchObject([
    { kind: 'release', state: 'open', attempt: 1, adoptedVersionId: expect.any(String) as unknown },
  ]);
});

test('its principal reads and publishes its version, and is refused all else', async () => {
  const { bucket, token, path, open } = await aBake();
  expect((await open('file.one')).status).toBe(200);
  expect((await hcp.get(`~/buckets/${bucket}`, token)).status).toBe(200);
  const search = { external_identifier: 'ami-none' };
  expect((await hcp.call('POST', '~/_search/external_artifact', search, token)).status).toBe(200);

  const before = (await hcp.get(`~/buckets/${bucket}`)).body;
  const described = { description: 'of the template', labels: { of: 'the template' } };
  const described200 = await hcp.call('PATCH', `~/buckets/${bucket}`, described, token);
  expect(described200).toMatchObject({ status: 200, body: before });
  expect((await hcp.get(`~/buckets/${bucket}`)).body).toEqual(before);

  const refused = { status: 403, code: 7 };
  const another = `~/buckets/${bucket}/versions/another`;
  await hcp.call('POST', `~/buckets/${bucket}/versions`, { fingerprint: 'another' });
  const build = { component_type: 'file.one', status: 'BUILD_UNSET' };
  expect(await hcp.call('POST', `${another}/builds`, build, token)).toMatchObject(refused);
  const sbom = { compressed_sbom: 'AAAA', format: 'CYCLONEDX' };
  expect(await hcp.call('PUT', `${another}/builds/x/sboms`, sbom, token)).toMatchObject(refused);
  expect(await hcp.call('PUT', `${path}/builds/x/sboms`, sbom, token)).not.toMatchObject(refused);

  const named: Readonly<Record<string, string>> = {
    'location.organization_id': hcp.organizationId,
    'location.project_id': hcp.projectId,
    bucket_name: bucket,
    fingerprint: path.split('/').at(-1) ?? '',
    channel_name: 'dev',
  };
  const others = hcpOperations.filter(({ route }) => route.method !== 'GET' && route.fromBakes === undefined);
  expect(others.length).toBeGreaterThan(10);
  for (const { route } of others) {
    const url = route.path.replaceAll(/\{([\w.]+)\}/g, (_, name: string) => named[name] ?? hcp.projectId);
    expect(await api.raw(route.method, url, {}, token), route.operation).toMatchObject(refused);
  }
  expect(await api.call('getChannel', { project, bucket, channel: 'dev' }, token)).toMatchObject(refused);
});

test('of a parent it is shown what its request was accepted with, and nothing else', async () => {
  const { bucket: parent, version: pinned } = await api.world.lineWithVersion();
  const other = await api.world.bake(parent);
  await api.world.assign(other, 'prod');
  const { bucket, token } = await aBake([pinned]);
  await api.world.assign(other, 'dev');
  const at = `~/buckets/${parent}`;
  const ofPinned = { status: 200, body: { channel: { version: { fingerprint: pinned.fingerprint } } } };
  expect(await hcp.get(`${at}/channels/dev`, token)).toMatchObject(ofPinned);
  expect((await hcp.get(`${at}/versions/${pinned.fingerprint}`, token)).status).toBe(200);

  const message = `its bake was accepted with ${parent} ${pinned.name ?? ''} (dev). Let \`parents\` in bakehouse.yaml name`;
  const refused = { status: 400, code: 9, message: expect.stringContaining(message) as unknown };
  const older = `/packer/2021-04-30/organizations/${hcp.organizationId}/projects/${hcp.projectId}/images/${parent}`;
  for (const path of [
    `${at}/channels/prod`,
    `${at}/channels/latest`,
    `${at}/versions/${other.fingerprint}`,
    `${at}/versions/${other.fingerprint}/builds`,
    `${at}/versions/${other.fingerprint}/builds/${other.builds[0]?.id}`,
    `${at}/versions/${other.fingerprint}/builds/${other.builds[0]?.id}/sboms`,
    `${older}/channels/prod`,
    `${older}/iteration?fingerprint=${other.fingerprint}`,
  ]) {
    expect(await hcp.get(path, token), path).toMatchObject(refused);
  }
  expect((await hcp.get(`~/buckets/${bucket}/channels/latest`, token)).status).toBe(200);
  expect((await hcp.get(`${at}/versions/${other.fingerprint}`)).status).toBe(200);
});

test('its principal is no member of a policy and no principal to be managed, and writing a policy leaves it its role', async () => {
  const { bucket, token, principal } = await aBake();
  const { bucketPolicies, principals } = api.world.registry;
  const other = await tokenOf(api, `ci-${ulid().slice(-8)}`, null, [{ bucket, role: 'contributor' }]);
  const { roles, etag } = await bucketPolicies.get(project, bucket);
  expect(roles).toMatchObject([{ role: 'contributor' }]);

  await aBake();
  await bucketPolicies.set({ project, bucket, roles: [], etag, by: ann });
  expect((await hcp.get(`~/buckets/${bucket}`, other)).status).toBe(403);
  expect((await hcp.get(`~/buckets/${bucket}`, token)).status).toBe(200);

  const all = await principals.list(project);
  expect(all.map(({ name }) => name)).not.toContain(principal);
  const at = { project, principal, by: ann };
  await refusal('not_found', principals.setRoles({ ...at, role: 'admin', buckets: [] }));
  await refusal('not_found', principals.rotate({ ...at, secret: newClientSecret(), graceMs: 0 }));
  await principals.revoke({ ...at, reason: 'over' });
  expect((await hcp.get(`~/buckets/${bucket}`, token)).status).toBe(401);
});
