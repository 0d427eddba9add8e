import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ann, project } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import type { Api } from '../support/api.ts';
import { startApi, tokens } from '../support/api.ts';
import { tokenOf } from '../support/token-of.ts';
import type { Hcp } from './support/hcp.ts';
import { hcpOf } from './support/hcp.ts';

const database = useDatabase();
let api: Api;
let hcp: Hcp;

beforeAll(async () => {
  api = startApi(database());
  await api.world.registry.tenancy.createProject({ project, organization: 'acme', by: ann });
  hcp = await hcpOf(api);
});
afterAll(() => api.app.close());
beforeEach(async () => {
  await api.world.registry.config.change({ project, tier: 'PLUS', activated: true, by: ann });
});

const kinds = async (): Promise<readonly string[]> => {
  const rows = await database()
    .store.db.selectFrom('event')
    .select(['kind', 'actor'])
    .where('kind', 'in', ['registry.changed', 'registry.run_task_key_replaced'])
    .orderBy('sequence')
    .execute();
  return rows.map(({ kind, actor }) => `${kind} by ${actor.name}`);
};
const patch = (body: object) => hcp.call('PATCH', '~/registry', body);
const activated = (value: boolean) => ({ body: { registry: { config: { activated: value } } } });
const task = async (token?: string) =>
  z
    .object({ api_url: z.string(), hmac_key: z.string() })
    .parse((await hcp.get('~/runtasks/validation', token)).body);

describe('the registry of a project', () => {
  it('is there from the start, activated, without the key of run tasks', async () => {
    const { status, body } = await hcp.get('~/registry', tokens.viewer);

    expect(status).toBe(200);
    expect(body).toEqual({
      registry: {
        id: expect.stringMatching(/^[0-9A-Z]{26}$/),
        location: { organization_id: hcp.organizationId, project_id: hcp.projectId },
        config: {
          activated: true,
          feature_tier: 'PLUS',
          billing_deprovision: null,
          tfc_run_task_config: { api_id: expect.any(String), on_untracked_image: 'WARN' },
        },
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
    });
    expect((await hcp.get('~/registry')).body).toEqual(body);
  });

  it('is shown to who has a role on one bucket only: Packer asks for it before all else', async () => {
    const bucket = await api.world.line();
    const token = await tokenOf(api, 'one-bucket', null, [{ bucket, role: 'viewer' }]);

    expect(await hcp.get('~/registry', token)).toMatchObject({ status: 200 });
    expect(await hcp.get('~/runtasks/validation', token)).toMatchObject({ status: 403, code: 7 });
  });

  it('is created again without a change, and never with another tier by mistake', async () => {
    const before = await kinds();
    const made = await hcp.call('PUT', '~/registry', { feature_tier: 'PLUS' });

    expect(made).toMatchObject({
      status: 200,
      body: { registry: { config: { feature_tier: 'PLUS' } }, operation: { state: 'DONE' } },
    });
    expect(await hcp.call('PUT', '~/registry', {})).toMatchObject({ status: 200 });
    expect(await hcp.call('PUT', '~/registry', { feature_tier: 'STANDARD' })).toMatchObject({
      status: 409,
      code: 6,
      message: expect.stringContaining('already exists'),
    });
    expect(await kinds()).toEqual(before);
  });

  it('takes a tier and what is activated by the mask that clients send', async () => {
    // Go drops what is false.
    for (const mask of ['config.activated', 'activated', '["config.activated",]', 'featureTier,activated']) {
      expect(await patch({ update_mask: mask })).toMatchObject(activated(false));
      expect(await patch({ activated: true, update_mask: mask })).toMatchObject(activated(true));
    }
    expect(await patch({ feature_tier: 'STANDARD' })).toMatchObject({
      body: { registry: { config: { activated: true, feature_tier: 'STANDARD' } } },
    });
    expect(await patch({ feature_tier: 'UNSET', update_mask: 'featureTier' })).toMatchObject({
      body: { registry: { config: { feature_tier: 'STANDARD' } } },
    });
    expect(await patch({ update_mask: 'name' })).toMatchObject({ status: 400, code: 3 });
    expect(await patch({ feature_tier: 'GOLD' })).toMatchObject({ status: 400, code: 3 });
  });

  it('refuses everything else while it is deactivated, keeps all of it, and comes back', async () => {
    const bucket = await api.world.line();
    const before = await kinds();

    expect(await hcp.call('DELETE', '~/registry')).toMatchObject({
      status: 200,
      body: {
        registry: { config: { activated: false, billing_deprovision: { reason: 'USER_REQUEST' } } },
        operation: { id: expect.any(String), state: 'DONE', error: null },
      },
    });
    await hcp.call('DELETE', '~/registry');
    expect(await hcp.get('~/runtasks/config')).toMatchObject({
      status: 400,
      code: 9,
      message: expect.stringContaining('deactivated since'),
    });
    expect(await hcp.get('~/registry')).toMatchObject(activated(false));
    expect((await api.call('getBucket', { project, bucket })).status).toBe(200);
    expect(await hcp.call('PUT', '~/registry', {})).toMatchObject(activated(true));
    expect(await hcp.get('~/runtasks/config')).toMatchObject({ status: 200 });
    expect((await kinds()).slice(before.length)).toEqual([
      'registry.changed by admin',
      'registry.changed by admin',
    ]);
  });

  it('is deactivated on every server, whichever was asked', async () => {
    const another = startApi(database());
    const there = await hcpOf(another);
    expect(await there.get('~/runtasks/config')).toMatchObject({ status: 200 });

    await hcp.call('DELETE', '~/registry');

    await expect.poll(async () => (await there.get('~/runtasks/config')).code).toBe(9);
    expect(await there.call('PUT', '~/registry', {})).toMatchObject(activated(true));
    expect(await hcp.get('~/runtasks/config')).toMatchObject({ status: 200 });
    await another.app.close();
  });

  it('lets a build end that runs already', async () => {
    const { bucket, version } = await api.world.lineWithVersion();
    const builds = `~/buckets/${bucket}/versions/${version.fingerprint}/builds`;
    await hcp.call('DELETE', '~/registry');

    expect(await hcp.get(builds)).toMatchObject({ status: 400, code: 9 });
    expect(await hcp.call('PUT', '~/buckets', { name: 'too-late' })).toMatchObject({ status: 400, code: 9 });
    const done = await hcp.call('PATCH', `${builds}/${version.builds[0]?.id}`, { status: 'BUILD_DONE' });
    expect(done.message).not.toContain('deactivated');
  });

  it('is set by admins only', async () => {
    for (const method of ['PUT', 'PATCH', 'DELETE'] as const) {
      expect(await hcp.call(method, '~/registry', {}, tokens.contributor)).toMatchObject({
        status: 403,
        code: 7,
      });
    }
  });
});

describe('run tasks', () => {
  it('have an address and a key, which no table holds', async () => {
    const { api_url, hmac_key } = await task(tokens.admin);
    const row = await database().store.db.selectFrom('registry_config').selectAll().executeTakeFirstOrThrow();

    expect(api_url).toBe(
      `http://localhost:80/packer/2023-01-01/terraform-cloud/validation/${row.run_task_api_id}`,
    );
    expect(hmac_key).toMatch(/^[\da-f]{64}$/);
    expect(row.run_task_salt.toString('hex')).not.toBe(hmac_key);
    expect(await task()).toEqual({ api_url, hmac_key });
  });

  it('get another key by asking for one, which the event does not tell', async () => {
    const before = await task();
    const { body } = await hcp.call('PATCH', '~/runtasks/hmac', {});

    const after = await task();
    expect(body).toEqual({ hmac_key: after.hmac_key });
    expect(after.api_url).toBe(before.api_url);
    expect(after.hmac_key).not.toBe(before.hmac_key);
    const { data } = await database()
      .store.db.selectFrom('event')
      .select('data')
      .where('kind', '=', 'registry.run_task_key_replaced')
      .executeTakeFirstOrThrow();
    expect(data).toEqual({});
  });

  it('have `validation` as their only type, and what they say of unknown images as a setting', async () => {
    expect(await hcp.get('~/runtasks/apply')).toMatchObject({ status: 404, code: 5 });
    expect(await hcp.call('PATCH', '~/runtasks/config', { on_untracked_image: 'FAIL' })).toMatchObject({
      body: { on_untracked_image: 'FAIL' },
    });
    expect(await hcp.call('PATCH', '~/runtasks/config', { on_untracked_image: 'UNSET' })).toMatchObject({
      body: { on_untracked_image: 'FAIL' },
    });
    expect(await hcp.get('~/runtasks/config', tokens.viewer)).toMatchObject({
      body: { on_untracked_image: 'FAIL' },
    });
    expect(await hcp.call('PATCH', '~/runtasks/config', {}, tokens.viewer)).toMatchObject({ code: 7 });
  });

  it('tell their key to admins only', async () => {
    expect(await hcp.get('~/runtasks/validation', '')).toMatchObject({ status: 401, code: 16 });
    expect(await hcp.get('~/runtasks/validation', tokens.contributor)).toMatchObject({
      status: 403,
      code: 7,
    });
  });
});
