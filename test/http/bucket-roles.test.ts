import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ann, project } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import type { Api } from './support/api.ts';
import { startApi, strangerToken, tokens } from './support/api.ts';
import { tokenOf } from './support/token-of.ts';

const database = useDatabase();
let api: Api;
let ours: string;
let others: string;
let token: string;

beforeAll(async () => {
  api = startApi(database());
  ({ bucket: ours } = await api.world.lineWithVersion());
  ({ bucket: others } = await api.world.lineWithVersion({ parents: [ours] }));
  token = await tokenOf(api, 'one-bucket', null, [{ bucket: ours, role: 'contributor' }]);
  await api.world.registry.tenancy.createProject({ project: 'other', organization: 'acme', by: ann });
});
afterAll(() => api.app.close());

const requestOn = async (bucket: string): Promise<string> =>
  (await api.ok('acceptRequest', { project, bucket, kind: 'bake', key: ulid() })).request.id;
const promotionOn = async (bucket: string): Promise<string> =>
  (await api.ok('requestPromotion', { project, bucket, channel: 'prod', version: 'v1', reason: 'x' })).id;

describe('a role on one bucket', () => {
  it('is asked for on the bucket of the request or promotion that a path names', async () => {
    const [mine, theirs] = [await requestOn(ours), await requestOn(others)];

    expect(await api.call('getRequest', { project, request: mine }, token)).toMatchObject({ status: 200 });
    expect(await api.call('listLogs', { project, request: mine }, token)).toMatchObject({ status: 200 });
    expect(await api.call('cancelRequest', { project, request: mine }, token)).toMatchObject({ status: 200 });
    expect(await api.call('getRequest', { project, request: theirs }, token)).toMatchObject({ code: 7 });
    const promotion = await promotionOn(ours);
    expect(await api.call('getPromotion', { project, promotion }, token)).toMatchObject({ status: 200 });
    expect(await api.call('approvePromotion', { project, promotion }, token)).toMatchObject({ status: 200 });
    const foreign = { project, promotion: await promotionOn(others) };
    expect(await api.call('approvePromotion', foreign, token)).toMatchObject({ code: 7 });
  });

  it('does not tell what is closed to it from what is not there', async () => {
    const [request, promotion] = [await requestOn(others), await promotionOn(others)];
    const pairs = [
      [
        await api.call('getRequest', { project, request }, token),
        await api.call('getRequest', { project, request: ulid() }, token),
      ],
      [
        await api.call('getPromotion', { project, promotion }, token),
        await api.call('getPromotion', { project, promotion: ulid() }, token),
      ],
    ] as const;

    for (const [closed, absent] of pairs) {
      expect(closed).toMatchObject({ code: 7 });
      expect(closed).toEqual(absent);
    }
    const there = (id: string) =>
      api.call('getPromotion', { project: 'other', promotion: id }, strangerToken);
    const absent = ulid();
    expect((await there(promotion)).message).toBe((await there(absent)).message.replace(absent, promotion));
  });

  it('is refused for a name that is none, before anything is looked up by it', async () => {
    for (const named of ['%00', 'a%0Ab']) {
      for (const address of [`requests/${named}`, `promotions/${named}`]) {
        const answer = await api.raw('GET', `/api/v1/projects/${project}/${address}`, undefined, token);
        expect(answer).toMatchObject({ status: 400, reason: 'invalid_input' });
      }
    }
  });

  it('finds the project that it is in', async () => {
    expect(await api.call('getConnection', { project }, token)).toMatchObject({ status: 200 });
    expect(await api.call('getConnection', { project: 'other' }, token)).toMatchObject({ code: 7 });
    expect(await api.call('listBuckets', { project }, token)).toMatchObject({ code: 7 });
  });
});

const named = () => ({ project, bucket: ours, version: 'v1' });
const latest = () => ({ project, bucket: ours, channel: 'latest' });

const revoke = (over: { descendants?: boolean } = {}, by = token) =>
  api.call('revokeVersion', { ...named(), reason: 'a hole', inMs: 3_600_000, ...over }, by);
const recordId = async (): Promise<string> =>
  (await api.ok('listRevocations', named())).records.find(({ liftedAt }) => liftedAt === null)?.id ?? '?';

describe('what reaches other buckets', () => {
  it('takes the role there too: to revoke with descendants, to reschedule, to lift and to restore', async () => {
    const refused = await revoke();
    expect(refused).toMatchObject({ status: 403 });
    expect(refused.message).toContain(`it reaches ${others} as well`);
    expect(refused.message).toContain('--no-descendants');
    expect((await api.ok('listRevocations', named())).records).toEqual([]);

    expect(await revoke({}, tokens.contributor)).toMatchObject({ status: 200 });
    const one = { ...named(), revocation: await recordId() };
    for (const answer of [
      await api.call('rescheduleRevocation', { ...one, at: '2100-01-01T00:00:00Z' }, token),
      await api.call('liftRevocation', { ...one, reason: 'x' }, token),
      await api.call('restoreVersion', { ...named(), reason: 'x' }, token),
      await revoke({ descendants: false }),
    ]) {
      expect(answer).toMatchObject({ status: 403 });
      expect(answer.message).toContain(others);
    }
    await api.ok('restoreVersion', { ...named(), reason: 'over' }, tokens.contributor);
    expect(await revoke({ descendants: false })).toMatchObject({ status: 200 });
    expect(await api.call('restoreVersion', { ...named(), reason: 'mine' }, token)).toMatchObject({
      status: 200,
    });
  });

  it('is exempted by admins of all of it', async () => {
    const admin = await tokenOf(api, 'one-admin', null, [{ bucket: ours, role: 'admin' }]);
    const exempt = { ...named(), reason: 'a move', endsAt: '2100-01-01T00:00:00Z' };

    expect(await api.call('exemptVersion', { ...exempt, descendants: true }, admin)).toMatchObject({
      status: 403,
    });
    expect(await api.call('exemptVersion', exempt, admin)).toMatchObject({ status: 200 });
  });
});

describe('restricted channels', () => {
  it('are hidden from viewers, and forbidden when they are named', async () => {
    const seen = await api.ok('listChannels', { project, bucket: ours }, tokens.viewer);
    expect(seen.channels.map(({ name }) => name)).toEqual(['dev', 'prod']);
    for (const operation of ['getChannel', 'getChannelHistory', 'resolveChannel'] as const) {
      const answer = await api.call(operation, latest(), tokens.viewer);
      expect(answer, operation).toMatchObject({ status: 403, code: 7 });
      expect(answer.message).toContain('"latest"');
      const { status } = await api.call(operation, { ...latest(), channel: 'prod' }, tokens.viewer);
      expect(status, operation).toBe(200);
    }
    const unknown = await api.call('getChannel', { ...latest(), channel: 'none' }, tokens.viewer);
    expect(unknown.message).not.toContain('latest');
  });

  it('are shown to contributors, also of the one bucket', async () => {
    const { channels } = await api.ok('listChannels', { project, bucket: ours }, token);
    expect(channels.find(({ name }) => name === 'latest')).toMatchObject({ restricted: true });
    expect(channels.find(({ name }) => name === 'prod')).toMatchObject({ restricted: false });
    for (const operation of ['getChannel', 'getChannelHistory', 'resolveChannel'] as const) {
      expect((await api.call(operation, latest(), token)).status, operation).toBe(200);
    }
  });
});

it('a template that nobody applied takes the role admin: another ref runs code on the bake hosts', async () => {
  const bucket = `git-${ulid().slice(-10).toLowerCase()}`;
  const [folder] = (await api.ok('listBuckets', { project })).buckets;
  if (folder?.line === null || folder === undefined) throw new Error('no line');
  const template = {
    kind: 'git',
    repository: 'https://git.example/x',
    ref: 'main',
    entry: 'image.pkr.hcl',
  } as const;
  const targets = [{ provider: 'qemu', account: 'local', region: 'local', launch: {} }];
  await api.ok('applyLines', {
    project,
    lines: [{ ...folder.line, bucket, template, parents: [], targets }],
  });
  const ask = (ref: string | undefined, by: string) =>
    api.call(
      'acceptRequest',
      { project, bucket, kind: 'bake', key: ulid(), ...(ref === undefined ? {} : { ref }) },
      by,
    );

  const refused = await ask('somebodys-branch', tokens.contributor);
  expect(refused).toMatchObject({ status: 403 });
  expect(refused.message).toContain('from "main" only');
  expect(await ask(undefined, tokens.contributor)).toMatchObject({ status: 200 });
  expect(await ask('main', tokens.contributor)).toMatchObject({ status: 200 });
  expect(await ask('somebodys-branch', tokens.admin)).toMatchObject({ status: 200 });
});
