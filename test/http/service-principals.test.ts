import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ann, project } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import type { Api } from './support/api.ts';
import { startApi, tokens } from './support/api.ts';
import { tokenOf } from './support/token-of.ts';

const database = useDatabase();
let api: Api;
let ours: string;
let others: string;

beforeAll(async () => {
  api = startApi(database());
  [ours, others] = [(await api.world.lineWithVersion()).bucket, (await api.world.lineWithVersion()).bucket];
  await api.world.registry.tenancy.createProject({ project: 'abroad', organization: 'other', by: ann });
});
afterAll(() => api.app.close());

const revoke = (bucket: string, token: string) =>
  api.call('revokeVersion', { project, bucket, version: 'v1', reason: 'a hole', inMs: 3_600_000 }, token);

describe('a service principal', () => {
  it('has on a bucket the higher of its role in the project and the one there', async () => {
    const token = await tokenOf(api, 'adds', 'viewer', [{ bucket: ours, role: 'contributor' }]);

    expect(await revoke(ours, token)).toMatchObject({ status: 200 });
    expect(await revoke(others, token)).toMatchObject({ code: 7 });
    expect(await api.call('listVersions', { project, bucket: others }, token)).toMatchObject({ status: 200 });
    const exempt = { project, bucket: ours, version: 'v1', reason: 'x', endsAt: '2100-01-01T00:00:00Z' };
    expect(await api.call('exemptVersion', exempt, token)).toMatchObject({ code: 7 });
  });

  it('with a role on one bucket reaches that one and nothing of the project', async () => {
    const token = await tokenOf(api, 'one-bucket', null, [{ bucket: ours, role: 'viewer' }]);

    expect(await api.call('getChannel', { project, bucket: ours, channel: 'prod' }, token)).toMatchObject({
      status: 200,
    });
    expect(await api.call('getBucket', { project, bucket: others }, token)).toMatchObject({ code: 7 });
    expect(await api.call('listBuckets', { project }, token)).toMatchObject({ code: 7 });
  });

  it('of one organization is nobody in the projects of another one, nor in the installation', async () => {
    const token = await tokenOf(api, 'at-home', 'admin');

    expect(await api.call('listPrincipals', { project }, token)).toMatchObject({ status: 200 });
    for (const answer of [
      await api.call('listBuckets', { project: 'abroad' }, token),
      await api.call('createPrincipal', { project: 'abroad', name: 'spy-1' }, token),
      await api.call(
        'setPrincipalRoles',
        { project: 'abroad', principal: 'at-home', role: 'admin', buckets: [] },
        token,
      ),
      await api.call('listOrganizations', {}, token),
      await api.call('createProject', { organization: 'default', name: 'mine' }, token),
      await api.call('listHosts', {}, token),
    ]) {
      expect(answer).toMatchObject({ status: 403, code: 7 });
    }
  });

  it('is named in the event of everything that it changes, with its id', async () => {
    const token = await tokenOf(api, 'signs', 'contributor');
    const { principals } = await api.ok('listPrincipals', { project });
    const id = principals.find(({ name }) => name === 'signs')?.id;

    await api.ok('assignChannel', { project, bucket: others, channel: 'dev', version: null }, token);
    const { events } = await api.ok('listEvents', { project, bucket: others, limit: 500 }, tokens.viewer);
    expect(events.at(-1)).toMatchObject({
      kind: 'channel.assigned',
      by: { name: 'signs', via: 'api', principal: id },
    });
  });

  it('is out from the call after its revocation on', async () => {
    const token = await tokenOf(api, 'leaves', 'admin');
    expect(await api.call('listBuckets', { project }, token)).toMatchObject({ status: 200 });

    await api.ok('revokePrincipal', { project, principal: 'leaves', reason: 'over' }, token);
    expect(await api.call('listBuckets', { project }, token)).toMatchObject({ status: 401, code: 16 });
  });
});
