import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ann, project } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import type { Api } from '../support/api.ts';
import { startApi, tokens } from '../support/api.ts';
import type { Hcp } from './support/hcp.ts';
import { hcpOf } from './support/hcp.ts';
import type { Published } from './support/publish.ts';
import { newBucket, publish } from './support/publish.ts';

const database = useDatabase();
let api: Api;
let hcp: Hcp;

beforeAll(async () => {
  api = startApi(database());
  await newBucket(api);
  hcp = await hcpOf(api);
});
afterAll(() => api.app.close());

const path = ({ bucket, fingerprint }: Published) => `~/buckets/${bucket}/versions/${fingerprint}`;
const ofBuild = (version: Published, index: number) => `${path(version)}/builds/${version.buildIds[index]}`;
const remove = (at: string, token: string = tokens.contributor) => hcp.call('DELETE', at, undefined, token);
const shown = async (bucket: string, channel: string): Promise<string | null> => {
  const { body } = await hcp.get(`~/buckets/${bucket}/channels/${channel}`);
  const version = z.object({ name: z.string() }).nullable();
  return z.object({ channel: z.object({ version }) }).parse(body).channel.version?.name ?? null;
};
const channel = (bucket: string, name: string, version: Published) =>
  api.world.registry.channelChanges.create({
    project,
    bucket,
    channel: name,
    restricted: false,
    versionId: version.id,
    by: ann,
  });
const move = (bucket: string, name: string, version: Published) =>
  api.world.registry.channelChanges.update({
    project,
    bucket,
    channel: name,
    versionId: version.id,
    by: ann,
  });
const revoke = (version: Published) =>
  api.world.registry.revocations.revoke({
    versionId: version.id,
    reason: 'a hole',
    rollBack: true,
    descendants: true,
    by: ann,
  });

describe('DeleteVersion', () => {
  it('ends it for every reader, takes latest to the newest that is left, and gives its number to nobody', async () => {
    const bucket = await newBucket(api);
    const v1 = await publish(api, bucket);
    const v2 = await publish(api, bucket);
    const v3 = await publish(api, bucket);
    await revoke(v2);
    expect(await remove(path(v3))).toMatchObject({ status: 200, body: {} });
    expect(await shown(bucket, 'latest')).toBe('v1');
    expect(await hcp.get(path(v3))).toMatchObject({ status: 409, code: 10 });
    expect(await remove(path(v3))).toMatchObject({
      status: 404,
      code: 5,
      message: `Error: The version with identifier ${v3.fingerprint} does not exist.`,
    });
    expect((await hcp.get(`~/buckets/${bucket}`)).body).toMatchObject({ bucket: { version_count: '2' } });
    await remove(path(v1));
    expect(await shown(bucket, 'latest')).toBeNull();
    await publish(api, bucket);
    expect(await shown(bucket, 'latest')).toBe('v4');
  });

  it('frees the fingerprint, which a pipeline may use again', async () => {
    const bucket = await newBucket(api);
    const version = await publish(api, bucket);
    await remove(path(version));
    const again = await hcp.call('POST', `~/buckets/${bucket}/versions`, {
      fingerprint: version.fingerprint,
      template_type: 'HCL2',
    });
    expect(again.body).toMatchObject({ version: { name: 'v0', builds: [] } });
  });

  it('shows its fingerprint as it was given to who finds it in histories, lineages and versions', async () => {
    const [bucket, children] = [await newBucket(api), await newBucket(api)];
    const version = await publish(api, bucket);
    const next = await publish(api, bucket);
    await channel(bucket, 'dev', version);
    await move(bucket, 'dev', next);
    await remove(path(version));
    const { fingerprint } = version;
    expect((await hcp.get(`~/buckets/${bucket}/channels/dev/history`)).body).toMatchObject({
      history: [{ version: { fingerprint: next.fingerprint } }, { version: { fingerprint } }],
    });
    await publish(api, children, { parentId: version.id });
    expect((await hcp.get(`~/buckets/${children}/ancestry`)).body).toMatchObject({
      relations: [{ parent: { version_name: 'v1', version_fingerprint: fingerprint } }],
    });
    expect(await api.world.registry.versions.get(version.id)).toMatchObject({ fingerprint });
  });

  it('is refused while channels are on it, and takes them back when asked; nothing goes back to it', async () => {
    const bucket = await newBucket(api);
    const v1 = await publish(api, bucket);
    const v2 = await publish(api, bucket);
    const v3 = await publish(api, bucket);
    await channel(bucket, 'prod', v1);
    await channel(bucket, 'only', v3);
    await move(bucket, 'prod', v2);
    await move(bucket, 'prod', v3);
    expect(await remove(path(v3))).toMatchObject({
      status: 400,
      code: 9,
      message: expect.stringMatching(/^Version is assigned by channels: only, prod/),
    });
    await remove(path(v2));
    expect(await remove(`${path(v3)}?rollback_channels=true`)).toMatchObject({ status: 200 });
    expect(await shown(bucket, 'prod')).toBe('v1');
    expect(await shown(bucket, 'only')).toBeNull();
    expect(await shown(bucket, 'latest')).toBe('v1');
    const [row] = await api.world.registry.channels.history(project, bucket, 'prod');
    expect(row).toMatchObject({ cause: 'rolled_back', by: { name: 'contributor' } });
    expect(await remove(`${path(v1)}?rollback_channels=maybe`)).toMatchObject({ status: 400, code: 3 });
  });

  it('leaves a promotion of another version that waits there waiting, and ends its own', async () => {
    const { world } = api;
    const bucket = await world.line({ channels: { dev: {}, prod: { approvals: 1 } } });
    const [v1, v2, v3] = [await world.bake(bucket), await world.bake(bucket), await world.bake(bucket)];
    const promote = async (versionId: string) => {
      const { id } = await world.registry.promotions.request({
        project,
        bucket,
        channel: 'prod',
        versionId,
        reason: 'new',
        by: ann,
      });
      return id;
    };
    const first = await promote(v1.id);
    await world.registry.promotions.approve(first, { name: 'bob', via: 'api' });
    await world.registry.promotions.beginPublishing(first);
    await world.registry.promotions.complete(first);
    const waiting = await promote(v3.id);
    expect(
      await remove(`~/buckets/${bucket}/versions/${v1.fingerprint}?rollback_channels=true`),
    ).toMatchObject({ status: 200 });
    expect(await world.registry.promotions.gates(waiting)).toMatchObject({ verdict: 'wait' });
    const own = await promote(v2.id);
    await remove(`~/buckets/${bucket}/versions/${v2.fingerprint}`);
    expect(await world.registry.promotions.get(own)).toMatchObject({ state: 'failed' });
  });

  it('takes an open version, and not one that a request of ours bakes', async () => {
    const bucket = await newBucket(api);
    const open = await publish(api, bucket, { sources: 2, done: 1 });
    expect(await remove(path(open))).toMatchObject({ status: 200 });
    const line = await api.world.line();
    const baking = await api.world.open(line);
    expect(await remove(`~/buckets/${line}/versions/${baking.fingerprint}`)).toMatchObject({
      status: 400,
      code: 9,
      message: expect.stringContaining('cancel its request'),
    });
  });

  it('leaves its revocation in force for its descendants, who are restored from the top down', async () => {
    const [parents, children] = [await newBucket(api), await newBucket(api)];
    const parent = await publish(api, parents);
    const child = await publish(api, children, { parentId: parent.id });
    const sibling = await publish(api, children, { parentId: parent.id });
    const grandchild = await publish(api, children, { parentId: child.id });
    await revoke(parent);
    await remove(path(parent));
    const status = async (version: Published) =>
      z.object({ version: z.object({ status: z.string() }) }).parse((await hcp.get(path(version))).body)
        .version.status;
    const restore = (version: Published) => hcp.call('PATCH', path(version), { restore: true });
    expect((await hcp.get(path(grandchild))).body).toMatchObject({
      version: {
        status: 'VERSION_REVOKED',
        revocation_inherited_from: { version_name: 'v1', version_fingerprint: parent.fingerprint },
      },
    });
    expect(await restore(grandchild)).toMatchObject({
      status: 400,
      code: 9,
      message: expect.stringContaining(`(${children} v1)`),
    });
    expect(await restore(child)).toMatchObject({ status: 200 });
    expect(await status(child)).toBe('VERSION_ACTIVE');
    expect(await status(grandchild)).toBe('VERSION_ACTIVE');
    expect(await status(sibling)).toBe('VERSION_REVOKED');
    const born = await publish(api, children, { parentId: child.id });
    expect(await status(born)).toBe('VERSION_ACTIVE');
  });
});

describe('DeleteBuild', () => {
  it('completes the version where it was the last one that was open', async () => {
    const bucket = await newBucket(api);
    const version = await publish(api, bucket, { sources: 3, done: 1 });
    expect(await remove(ofBuild(version, 1))).toMatchObject({ status: 200, body: {} });
    expect((await hcp.get(path(version))).body).toMatchObject({ version: { name: 'v0' } });
    await remove(ofBuild(version, 2));
    expect((await hcp.get(path(version))).body).toMatchObject({
      version: { name: 'v1', status: 'VERSION_ACTIVE', builds: [{ id: version.buildIds[0] }] },
    });
    expect(await shown(bucket, 'latest')).toBe('v1');
    expect(await remove(ofBuild(version, 1))).toMatchObject({
      status: 404,
      code: 5,
      message: `The build with identifier ${version.buildIds[1]} does not exist.`,
    });
  });

  it('completes nothing where no build is left, and frees the source', async () => {
    const bucket = await newBucket(api);
    const version = await publish(api, bucket, { sources: 1, done: 0 });
    await remove(ofBuild(version, 0));
    expect((await hcp.get(path(version))).body).toMatchObject({ version: { name: 'v0', builds: [] } });
    const again = await hcp.call('POST', `${path(version)}/builds`, { component_type: 'null.s0' });
    expect(again).toMatchObject({ status: 200 });
    expect(again.body).not.toMatchObject({ build: { id: version.buildIds[0] } });
  });

  it('takes one out of a complete version', async () => {
    const bucket = await newBucket(api);
    const version = await publish(api, bucket, { sources: 2 });
    await remove(ofBuild(version, 0));
    expect((await hcp.get(path(version))).body).toMatchObject({
      version: { name: 'v1', builds: [{ id: version.buildIds[1] }] },
    });
    expect(await hcp.get(ofBuild(version, 0))).toMatchObject({ status: 404, code: 5 });
  });
});

describe('DeleteBucket', () => {
  it('ends all that is in it and frees its name; descendants elsewhere keep their lineage', async () => {
    const [bucket, children] = [await newBucket(api), await newBucket(api)];
    const version = await publish(api, bucket);
    await channel(bucket, 'prod', version);
    const child = await publish(api, children, { parentId: version.id });
    expect(await remove(`~/buckets/${bucket}`)).toMatchObject({ status: 200, body: {} });
    expect(await hcp.get(`~/buckets/${bucket}`)).toMatchObject({
      status: 404,
      code: 5,
      message: `Error: The bucket with identifier ${bucket} does not exist.`,
    });
    expect(await remove(`~/buckets/${bucket}`)).toMatchObject({ status: 404, code: 5 });
    const { parents } = await api.world.registry.versions.get(child.id);
    expect(parents).toEqual([expect.objectContaining({ bucket, versionName: 'v1' })]);

    expect(await hcp.call('PUT', '~/buckets', { name: bucket })).toMatchObject({ status: 200 });
    expect((await hcp.get(`~/buckets/${bucket}/channels`)).body).toMatchObject({
      channels: [{ name: 'latest', version: null }],
    });
    await publish(api, bucket);
    expect(await shown(bucket, 'latest')).toBe('v1');
  });

  it('takes an admin where there is a line, and no open request', async () => {
    const bucket = await api.world.line();
    await api.world.open(bucket);
    expect(await remove(`~/buckets/${bucket}`)).toMatchObject({
      status: 400,
      code: 9,
      message: expect.stringContaining('bakehouse.yaml'),
    });
    expect(await remove(`~/buckets/${bucket}`, tokens.admin)).toMatchObject({
      status: 400,
      code: 9,
      message: expect.stringContaining('cancel its request'),
    });
    const idle = await api.world.line();
    expect(await remove(`~/buckets/${idle}`, tokens.admin)).toMatchObject({ status: 200 });
  });

  it('counts with a version that is completed at the same moment: first or not at all', async () => {
    const bucket = await newBucket(api);
    const version = await publish(api, bucket, { sources: 1, done: 0 });
    const done = hcp.call('PATCH', `${path(version)}/builds/${version.buildIds[0]}`, {
      status: 'BUILD_DONE',
      platform: 'null',
      artifacts: [{ external_identifier: 'x', region: 'y' }],
    });
    const [removed, told] = await Promise.all([remove(`~/buckets/${bucket}`), done]);
    expect(removed.status).toBe(200);
    expect([200, 404]).toContain(told.status);
  });
});
