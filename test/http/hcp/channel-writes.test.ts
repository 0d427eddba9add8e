import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ann, project } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import type { Api } from '../support/api.ts';
import { startApi, tokens } from '../support/api.ts';
import type { Hcp } from './support/hcp.ts';
import { hcpOf } from './support/hcp.ts';
import { newBucket, publish } from './support/publish.ts';

const database = useDatabase();
let api: Api;
let hcp: Hcp;
let bucket: string;

beforeAll(async () => {
  api = startApi(database());
  bucket = await newBucket(api);
  hcp = await hcpOf(api);
});
afterAll(() => api.app.close());

const channels = (rest = '', at = bucket) => `~/buckets/${at}/channels${rest}`;
const create = (body: unknown, at = bucket) => hcp.call('POST', channels('', at), body, tokens.contributor);
const patch = (channel: string, body: unknown, at = bucket) =>
  hcp.call('PATCH', channels(`/${channel}`, at), body, tokens.contributor);
const assign = (body: unknown, at = bucket) =>
  hcp.call('POST', channels('/assign', at), body, tokens.contributor);
const remove = (channel: string, at = bucket, token: string = tokens.contributor) =>
  hcp.call('DELETE', channels(`/${channel}`, at), undefined, token);
const history = async (channel: string, at = bucket) => {
  const rows = await api.world.registry.channels.history(project, at, channel, 1000);
  return rows.map(({ versionName, cause }) => `${cause}: ${versionName ?? 'none'}`);
};

describe('CreateChannel', () => {
  it('makes one, on a version where one is named, with its author', async () => {
    const version = await publish(api, bucket);
    const made = await create({ name: 'made', restricted: true, version_fingerprint: version.fingerprint });
    expect(made.status).toBe(200);
    expect(made.body).toMatchObject({
      channel: {
        name: 'made',
        bucket_name: bucket,
        author_id: 'contributor',
        managed: false,
        restricted: true,
        version: { id: version.id },
      },
    });
    expect(await hcp.get(channels('/made'), tokens.viewer)).toMatchObject({ status: 403, code: 7 });
  });

  it('refuses a name that is taken, the managed one too, and one that is no name', async () => {
    await create({ name: 'taken' });
    expect(await create({ name: 'taken' })).toMatchObject({ status: 409, code: 6 });
    expect(await create({ name: 'latest' })).toMatchObject({ status: 409, code: 6 });
    for (const name of ['', 'a', 'no spaces', 'x'.repeat(37), 'deleted/1', null]) {
      expect(await create({ name }), String(name)).toMatchObject({ status: 400, code: 3 });
    }
    expect(await create({ name: 'nowhere' }, 'absent')).toMatchObject({ status: 404, code: 5 });
  });

  it('is made whole or not at all', async () => {
    const open = await publish(api, bucket, { sources: 2, done: 1 });
    const refused = await create({ name: 'early', version_fingerprint: open.fingerprint });
    expect(refused).toMatchObject({ status: 400, code: 9 });
    expect(await create({ name: 'early', version_fingerprint: 'unknown' })).toMatchObject({
      status: 404,
      code: 5,
    });
    expect(await hcp.get(channels('/early'))).toMatchObject({ status: 404, code: 5 });
  });
});

describe('UpdateChannel', () => {
  it('changes what the mask names: Go sends no false and no empty text', async () => {
    const version = await publish(api, bucket);
    await create({ name: 'masked', restricted: true });
    const assigned = await patch('masked', {
      version_fingerprint: version.fingerprint,
      update_mask: 'versionFingerprint',
    });
    expect(assigned.body).toMatchObject({ channel: { restricted: true, version: { id: version.id } } });
    const opened = await patch('masked', { update_mask: 'restricted' });
    expect(opened.body).toMatchObject({ channel: { restricted: false, version: { id: version.id } } });
    const both = await patch('masked', { restricted: true, update_mask: 'restricted,version_fingerprint' });
    expect(both.body).toMatchObject({ channel: { restricted: true, version: null } });
    expect(await history('masked')).toEqual(['unassigned: none', `assigned: v${await newest()}`]);
  });

  it('refuses a mask that is missing or names something else, and says the field', async () => {
    for (const body of [
      {},
      { update_mask: '' },
      { update_mask: 'name' },
      { update_mask: 'restricted,name' },
    ]) {
      const { status, code, body: answer } = await patch('latest', body);
      expect({ status, code }).toEqual({ status: 400, code: 3 });
      expect(JSON.stringify(answer)).toContain('google.rpc.BadRequest');
    }
  });

  it('leaves the assignment of latest to completion, and lets it be restricted or not', async () => {
    const version = await publish(api, bucket);
    expect(
      await patch('latest', { version_fingerprint: version.fingerprint, update_mask: 'versionFingerprint' }),
    ).toMatchObject({
      status: 400,
      code: 9,
      message: 'Can\'t update channel assignment on channel "latest". This channel is managed by HCP Packer',
    });
    const opened = await patch('latest', { restricted: false, update_mask: 'restricted' });
    expect(opened.body).toMatchObject({ channel: { managed: true, restricted: false } });
    expect(await hcp.get(channels('/latest'), tokens.viewer)).toMatchObject({ status: 200 });
    await patch('latest', { restricted: true, update_mask: 'restricted' });
  });

  it('takes no version that is unknown, incomplete or revoked', async () => {
    await create({ name: 'strict' });
    const open = await publish(api, bucket, { sources: 2, done: 1 });
    const revoked = await publish(api, bucket);
    await api.world.registry.revocations.revoke({
      versionId: revoked.id,
      reason: '',
      rollBack: true,
      descendants: true,
      by: ann,
    });
    const take = (version_fingerprint: string) =>
      patch('strict', { version_fingerprint, update_mask: 'versionFingerprint' });
    expect(await take(open.fingerprint)).toMatchObject({ status: 400, code: 9 });
    expect(await take(revoked.fingerprint)).toMatchObject({ status: 400, code: 9 });
    expect(await take('unknown')).toMatchObject({ status: 404, code: 5 });
    expect(await patch('absent', { update_mask: 'restricted' })).toMatchObject({
      status: 404,
      code: 5,
      message: 'Error: The channel with identifier absent does not exist.',
    });
  });

  it('keeps a whole history of what races, and the channel where the last one put it', async () => {
    await create({ name: 'raced' });
    const versions = [await publish(api, bucket), await publish(api, bucket)];
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, turn) =>
        patch('raced', {
          version_fingerprint: versions[turn % 2]?.fingerprint,
          update_mask: 'versionFingerprint',
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
    const rows = await api.world.registry.channels.history(project, bucket, 'raced', 1000);
    expect(rows.map(({ sequence }) => sequence)).toEqual(rows.map((_, index) => rows.length - index));
    const { effective } = await api.world.registry.channels.get(project, bucket, 'raced');
    expect(effective).toMatchObject({ versionId: rows[0]?.versionId, derived: false });
  });
});

describe('AssignChannelVersion', () => {
  it('copies an assignment, and answers both channels', async () => {
    const version = await publish(api, bucket);
    await create({ name: 'target' });
    const copied = await assign({ source_channel: 'latest', target_channel: 'target' });
    expect(copied.body).toMatchObject({
      fingerprint: version.fingerprint,
      version: { id: version.id },
      source_channel: { name: 'latest', version: { id: version.id } },
      target_channel: { name: 'target', version: { id: version.id } },
    });
    expect(await assign({ source_channel: 'latest', target_channel: 'target' })).toMatchObject({
      status: 200,
    });
    expect(await history('target')).toHaveLength(1);
  });

  it('refuses latest, a source without a version, and what is not there', async () => {
    await create({ name: 'empty' });
    await create({ name: 'other' });
    expect(await assign({ source_channel: 'target', target_channel: 'latest' })).toMatchObject({
      status: 400,
      code: 9,
      message: expect.stringContaining("Cannot assign to managed channel 'latest'"),
    });
    expect(await assign({ source_channel: 'empty', target_channel: 'other' })).toMatchObject({
      status: 400,
      code: 9,
    });
    expect(await assign({ source_channel: 'absent', target_channel: 'other' })).toMatchObject({ code: 5 });
    expect(await assign({ target_channel: 'other' })).toMatchObject({ status: 400, code: 3 });
  });

  it('names the promotion to start where the target has gates', async () => {
    const gated = await api.world.line({ channels: { dev: {}, prod: { approvals: 1 } } });
    const version = await api.world.bake(gated);
    await api.world.assign(version, 'dev');
    const start = expect.stringContaining(`bakehouse promote ${gated} v1 prod`);
    const copied = await assign({ source_channel: 'dev', target_channel: 'prod' }, gated);
    expect(copied).toMatchObject({ status: 400, code: 9, message: start });
    const { fingerprint: version_fingerprint } = version;
    const patched = await patch('prod', { version_fingerprint, update_mask: 'versionFingerprint' }, gated);
    expect(patched).toMatchObject({ status: 400, code: 9, message: start });
  });
});

describe('DeleteChannel', () => {
  it('ends it; its name begins anew, without the history', async () => {
    const version = await publish(api, bucket);
    await create({ name: 'again', version_fingerprint: version.fingerprint });
    expect(await remove('again')).toMatchObject({ status: 200, body: {} });
    expect(await hcp.get(channels('/again'))).toMatchObject({ status: 404, code: 5 });
    expect(await remove('again')).toMatchObject({ status: 404, code: 5 });
    const { body } = await hcp.get(channels());
    const listed = z.object({ channels: z.array(z.object({ name: z.string() })) }).parse(body);
    expect(listed.channels.map(({ name }) => name)).not.toContain('again');
    await create({ name: 'again' });
    expect(await history('again')).toEqual([]);
    expect(await remove('again')).toMatchObject({ status: 200 });
  });

  it('keeps latest, and what a line describes; gates that a line left behind take an admin', async () => {
    expect(await remove('latest')).toMatchObject({
      status: 400,
      code: 3,
      message: expect.stringContaining("Can't delete managed channel latest, "),
    });
    const line = await api.world.line({ channels: { dev: {}, prod: { approvals: 1 } } });
    for (const token of [tokens.contributor, tokens.admin]) {
      expect(await remove('dev', line, token)).toMatchObject({
        status: 400,
        code: 9,
        message: expect.stringContaining('bakehouse.yaml'),
      });
    }
    const { line: described } = await api.world.registry.lines.get(project, line);
    if (described === null) throw new Error('It has a line.');
    const shorter = { ...described, channels: described.channels.filter(({ name }) => name !== 'prod') };
    await api.world.registry.lines.apply(project, [shorter], ann);
    expect(await remove('prod', line)).toMatchObject({ status: 400, code: 9 });
    expect(await remove('prod', line, tokens.admin)).toMatchObject({ status: 200 });
  });

  it('ends promotions that wait there', async () => {
    const line = await api.world.line({ channels: { dev: {}, prod: { approvals: 1 } } });
    const version = await api.world.bake(line);
    const { registry } = api.world;
    const promotion = await registry.promotions.request({
      project,
      bucket: line,
      channel: 'prod',
      versionId: version.id,
      reason: 'new',
      by: ann,
    });
    const { line: described } = await registry.lines.get(project, line);
    if (described === null) throw new Error('It has a line.');
    const shorter = { ...described, channels: described.channels.filter(({ name }) => name !== 'prod') };
    await registry.lines.apply(project, [shorter], ann);
    await remove('prod', line, tokens.admin);
    expect(await registry.promotions.get(promotion.id)).toMatchObject({
      state: 'failed',
      channel: 'prod',
      detail: 'channel prod was deleted by admin',
    });
    expect(await registry.promotions.gates(promotion.id)).toMatchObject({ verdict: 'refuse' });
  });
});

const newest = async (): Promise<number> => {
  const { effective } = await api.world.registry.channels.get(project, bucket, 'latest');
  return Number((effective.versionName ?? 'v0').slice(1));
};
