import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MockActivityEnvironment } from '@temporalio/testing';
import { Client } from 'pg';
import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWebhookActivities } from '../../../src/activities/webhooks.ts';
import { keysFrom } from '../../../src/http/keys.ts';
import { webhookActions, webhookSource } from '../../../src/domain/webhook.ts';
import type { Version } from '../../../src/domain/version.ts';
import { unseal } from '../../../src/webhooks/seal.ts';
import { sendWebhook } from '../../../src/webhooks/send.ts';
import { seedLines } from '../../registry/support/seed.ts';
import { ann, project } from '../../registry/support/world.ts';
import { quiet } from '../../support/bake/world.ts';
import { useDatabase } from '../../support/database.ts';
import { type Receiver, signatureOf, startReceiver } from '../../support/receiver.ts';
import type { Api } from '../support/api.ts';
import { startApi, tokens } from '../support/api.ts';
import type { Hcp } from './support/hcp.ts';
import { hcpOf } from './support/hcp.ts';

const database = useDatabase();
const keys = keysFrom('the token of the installation');
const scheduling = [{ events: [{ source: webhookSource, action: 'schedule-revocation' }] }];
const everything = [{ events: webhookActions.map((action) => ({ source: webhookSource, action })) }];
let api: Api;
let hcp: Hcp;
let receiver: Receiver;
let version: Version;
let bucket: string;

beforeAll(async () => {
  api = startApi(database(), { keys });
  ({ bucket, version } = await api.world.lineWithVersion());
  hcp = await hcpOf(api);
  receiver = await startReceiver();
});
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer();
});
afterAll(async () => {
  await receiver.close();
  await api.app.close();
});

const parent = () => `/2023-05-31/webhook/project/${hcp.projectId}/webhooks`;
/** As Go's client writes it. */
const escaped = (name: string, more = '') =>
  `/2023-05-31/${encodeURIComponent(`webhook/project/${hcp.projectId}/geo/us/webhook/${name}`)}${more}`;

type Reply = {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- bodies as clients read them
  readonly body: any;
  readonly code?: number;
  readonly message: string;
};
const call = async (
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  url: string,
  payload?: unknown,
  token?: string,
): Promise<Reply> => {
  const { status, body, code, message } = await api.raw(method, url, payload, token);
  return { status, body, message, ...(code === undefined ? {} : { code }) };
};

/** A webhook of a fresh name, with what is given. */
async function make(over: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const name = `hook-${ulid().toLowerCase()}`;
  const body = { name, enabled: true, config: { url: receiver.url }, subscriptions: everything, ...over };
  const made = await call('POST', parent(), body);
  expect(made.status, made.message).toBe(200);
  return name;
}

const remove = async (name: string) => expect((await call('DELETE', escaped(name))).status).toBe(200);

/** Runs each delivery that the outbox holds as a worker does, once; answers how each went. */
async function deliver(unsealing = keys): Promise<readonly string[]> {
  const activities = createWebhookActivities({
    registry: api.world.registry,
    send: (sent) => sendWebhook({ ...sent, timeoutMs: 1000 }),
    unseal: (id, sealed) => unseal((salt) => unsealing.derive('webhook', salt), id, sealed),
  });
  const went: string[] = [];
  const ids: string[] = [];
  while (
    (await api.world.registry.outbox.drain(100, async ({ workflow, input }) => {
      if (workflow === 'deliverWebhook') ids.push(String(input['deliveryId']));
      return Promise.resolve();
    })) > 0
  );
  for (const id of ids.toSorted()) {
    const run = new MockActivityEnvironment({}, { logger: quiet }).run(async () =>
      activities.callWebhook(id),
    );
    went.push(await run.then(String, (error: unknown) => (error instanceof Error ? error.message : '')));
  }
  return went;
}

const history = async (name: string) => (await call('GET', escaped(name, '/deliveries'))).body.deliveries;
const told = () => receiver.received.map(({ body }) => body.event_action);

describe('a webhook', () => {
  it('is verified by a signed call before it is there, and never shows its key', async () => {
    const name = await make({ description: 'for us', config: { url: receiver.url, hmac_key: 'hush' } });
    const [sent] = receiver.received;

    expect(sent?.body).toMatchObject({
      event_source: 'hashicorp.webhook.verification',
      event_action: 'test',
      resource_name: `webhook/project/${hcp.projectId}/geo/us/webhook/${name}`,
    });
    expect(sent?.headers['x-hcp-webhook-signature']).toBe(sent && signatureOf('hush', sent));
    const { body } = await call('GET', escaped(name));
    expect(body.webhook).toMatchObject({
      resource_name: `webhook/project/${hcp.projectId}/geo/us/webhook/${name}`,
      description: 'for us',
      config: { url: receiver.url },
      enabled: true,
      subscriptions: [{ resource_id: '', events: everything[0]?.events }],
      last_delivery: { state: 'delivered', retries: 0, response: { status_code: 204 } },
    });
    expect(JSON.stringify(body)).not.toContain('hush');
    const { rows } = await database().store.pool.query(
      'select sealed_key, webhook::text as row from webhook',
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(`${String(row.sealed_key)} ${String(row.row)}`).not.toContain('hush');
    await remove(name);
  });

  it.each([
    [{ enabled: true }, 400, undefined],
    [{}, 200, false],
    [{ enabled: false }, 200, false],
  ])(
    'given %j whose address does not take the verification is %i, enabled %s',
    async (over, status, enabled) => {
      receiver.answer(500);
      const name = `fails-${ulid().toLowerCase()}`;
      const answer = await call('POST', parent(), { name, config: { url: receiver.url }, ...over });

      expect(answer.status, answer.message).toBe(status);
      expect(answer.body.webhook?.enabled).toBe(enabled);
      expect(receiver.received.length).toBe('enabled' in over && !over.enabled ? 0 : 1);
      if (status === 200) await remove(name);
      else expect(answer).toMatchObject({ code: 9, message: expect.stringContaining('it answered 500') });
    },
  );

  it('is changed where the mask says so, and verified anew with its key when it is called otherwise', async () => {
    const name = await make({ config: { url: receiver.url, hmac_key: 'hush' }, description: 'before' });
    receiver.received.length = 0;
    const patch = (payload: unknown) => call('PATCH', escaped(name), payload);

    expect(await patch({ update_mask: 'description', webhook: {} })).toMatchObject({
      body: { webhook: { description: '', enabled: true } },
    });
    expect(receiver.received).toEqual([]);
    const elsewhere = `${receiver.url}/elsewhere`;
    await patch({ update_mask: 'config.url', webhook: { config: { url: elsewhere } } });
    expect(receiver.received.map((one) => one.headers['x-hcp-webhook-signature'])).toEqual(
      receiver.received.map((one) => signatureOf('hush', one)),
    );
    receiver.answer(404);
    const refused = await patch({ update_mask: 'config', webhook: { config: { url: receiver.url } } });
    expect(refused).toMatchObject({ status: 400, code: 9 });
    expect((await call('GET', escaped(name))).body.webhook.config.url).toBe(elsewhere);
    // Go leaves `false` out.
    expect((await patch({ update_mask: 'enabled', webhook: {} })).body.webhook.enabled).toBe(false);
    expect(await patch({ update_mask: 'name', webhook: {} })).toMatchObject({ status: 400, code: 3 });
    expect(await patch({ webhook: {} })).toMatchObject({ status: 400, code: 3 });
    await remove(name);
  });

  it('is not enabled with an address that was given while the one before was verified', async () => {
    const other = `${receiver.url}/never-verified`;
    const name = await make({ enabled: false });
    let between: Reply | undefined;
    const meanwhile = createServer((request, response) => {
      request.resume().on('end', () => {
        const change = { update_mask: 'config.url', webhook: { config: { url: other } } };
        void (async () => {
          between = await call('PATCH', escaped(name), change);
          response.writeHead(204).end();
        })();
      });
    });
    meanwhile.listen(0, '127.0.0.1');
    await once(meanwhile, 'listening');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
    const { port } = meanwhile.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/`;
    await call('PATCH', escaped(name), { update_mask: 'config.url', webhook: { config: { url } } });

    const enabled = await call('PATCH', escaped(name), {
      update_mask: 'enabled',
      webhook: { enabled: true },
    });
    meanwhile.closeAllConnections();
    meanwhile.close();
    expect(between).toMatchObject({ status: 200 });
    expect(enabled).toMatchObject({ status: 409, code: 10 });
    const { body } = await call('GET', escaped(name));
    expect(body.webhook).toMatchObject({ enabled: false, config: { url: other } });
    await remove(name);
  });

  it('has a name of its own in the project, which can be changed', async () => {
    const [one, other] = [await make(), await make()];
    const taken = { name: other, config: { url: receiver.url } };

    expect(await call('POST', parent(), taken)).toMatchObject({ status: 409, code: 6 });
    expect(await call('PATCH', escaped(one, '/name'), { name: other })).toMatchObject({
      status: 409,
      code: 6,
    });
    const renamed = await call('PATCH', escaped(one, '/name'), { name: `${one}-x` });
    expect(renamed.body.webhook.resource_name).toContain(`/webhook/${one}-x`);
    expect(await call('GET', escaped(one))).toMatchObject({ status: 404, code: 5 });
    const { body } = await call('GET', parent());
    expect(body.webhooks.length).toBe(2);
    await remove(`${one}-x`);
    await remove(other);
    expect(await call('DELETE', escaped(other))).toMatchObject({ status: 404, code: 5 });
  });

  it.each([
    [{ config: { url: 'ftp://a.example/' } }, 'config.url'],
    [{ config: {} }, 'config.url'],
    [{ config: { url: 'http://user:secret@a.example/' } }, 'hmac_key'],
    [{ config: { url: 'http://169.254.169.254/latest' } }, 'is not called'],
    [{ config: { url: 'http://2852039166/latest' } }, 'is not called'],
    [{ config: { url: 'http://[::ffff:169.254.169.254]/' } }, 'is not called'],
    [{ config: { url: 'http://[fd00:ec2::254]/' } }, 'is not called'],
    [{ name: 'a/b' }, 'name'],
    [{ subscriptions: [{ events: [{ source: 'hashicorp.other', action: '*' }] }] }, webhookSource],
    [{ subscriptions: [{ events: [{ source: webhookSource, action: 'explode' }] }] }, 'schedule-revocation'],
  ])('given %j is refused', async (over, message) => {
    const body = { name: 'refused', enabled: false, config: { url: receiver.url }, ...over };

    expect(await call('POST', parent(), body)).toMatchObject({
      status: 400,
      code: 3,
      message: expect.stringContaining(message),
    });
  });

  it('is for admins of its project', async () => {
    const name = await make();

    for (const token of [tokens.viewer, tokens.contributor]) {
      expect(await call('GET', escaped(name), undefined, token)).toMatchObject({ status: 403, code: 7 });
      expect(await call('POST', parent(), {}, token)).toMatchObject({ status: 403, code: 7 });
    }
    const nobody = `/2023-05-31/webhook/project/${crypto.randomUUID()}/webhooks`;
    expect(await call('GET', nobody)).toMatchObject({ status: 404, code: 5 });
    await remove(name);
  });
});

describe('what happens to versions', () => {
  it('is told with the state of its moment, signed, to those who subscribed to it', async () => {
    const name = await make({ config: { url: receiver.url, hmac_key: 'hush' } });
    const deaf = await make({ subscriptions: [{ resource_id: ulid(), events: everything[0]?.events }] });
    receiver.received.length = 0;

    const next = await api.world.bake(bucket);
    const recordId = await api.world.revoke(next, { inMs: 3_600_000 });
    await api.world.registry.revocations.lift(recordId, 'no hole', ann);
    await api.world.revoke(next);
    expect(new Set(await deliver())).toEqual(new Set(['delivered']));

    expect(told()).toEqual([
      'create',
      'complete',
      'assign',
      'schedule-revocation',
      'cancel-revocation',
      'revoke',
      'assign',
    ]);
    const [created, completed, assigned, scheduled, , revoked, back] = receiver.received.map(
      ({ body }) => body.event_payload,
    );
    expect(created.version).toMatchObject({ id: next.id, name: 'v0', status: 'RUNNING', revoke_at: null });
    expect(completed).toMatchObject({
      project_id: hcp.projectId,
      organization_id: hcp.organizationId,
      bucket: { name: bucket },
      version: { id: next.id, name: 'v2', status: 'ACTIVE', fingerprint: next.fingerprint },
      builds: [{ platform: 'qemu', artifacts: [{ region: 'here' }] }],
      actor: { principal_id: 'ann', type: 'TYPE_USER' },
    });
    expect(assigned).toMatchObject({
      channel: { name: 'latest', managed: true },
      version: { id: next.id },
      previous_version: { id: version.id },
    });
    expect(scheduled.version).toMatchObject({ status: 'REVOCATION_SCHEDULED', revocation_author: 'ann' });
    expect(revoked).toMatchObject({ version: { status: 'REVOKED' }, skip_descendants_revocation: false });
    expect(back).toMatchObject({
      channel: { name: 'latest' },
      version: { id: version.id },
      previous_version: { id: next.id, status: 'REVOKED' },
    });
    expect(new Set(receiver.received.map(({ body }) => body.event_id)).size).toBe(7);
    const about = await call(
      'GET',
      `/packer/2023-01-01/organizations/${hcp.organizationId}/projects/${hcp.projectId}/registry`,
    );
    const { registry } = about.body;
    expect(receiver.received[0]?.body).toMatchObject({
      resource_id: registry.id,
      resource_name: `packer/project/${hcp.projectId}/registry/${registry.id}`,
    });
    for (const one of receiver.received) {
      expect(one.headers['x-hcp-webhook-signature']).toBe(signatureOf('hush', one));
      expect(one.body).toMatchObject({ event_source: webhookSource, event_version: '1' });
    }
    await remove(name);
    await remove(deaf);
  });

  it('is told of heirs of a revocation too, and of a channel that is emptied', async () => {
    const child = await api.world.line({ parents: [bucket] });
    const heir = await api.world.bake(child);
    const name = await make();
    receiver.received.length = 0;
    const recordId = await api.world.revoke(version, { rollBack: false, inMs: 3_600_000 });
    await api.world.registry.revocations.lift(recordId, 'no hole', ann);
    const at = { project, bucket, channel: 'dev', versionId: null, by: ann } as const;
    await api.world.registry.channels.assign(at);
    await deliver();

    const versions = receiver.received.map(({ body }) => [body.event_action, body.event_payload.version?.id]);
    expect(versions).toEqual([
      ['schedule-revocation', version.id],
      ['schedule-revocation', heir.id],
      ['cancel-revocation', version.id],
      ['cancel-revocation', heir.id],
      ['assign', undefined],
    ]);
    expect(receiver.received.at(-1)?.body.event_payload.previous_version.id).toBe(version.id);
    await remove(name);
  });
});

describe('what is told of many', () => {
  it('is cut where a version has more artifacts or labels than a call holds, and says so', async () => {
    const { bucket: own, version: first } = await api.world.lineWithVersion();
    const name = await make();
    const next = await api.world.bake(own);
    const { pool } = database().store;
    await pool.query(
      `insert into artifact (id, build_id, version_id, provider, account, region, image_id, created_at)
        select id || '-' || n, build_id, version_id, provider, account, region, image_id || '-' || n, created_at
        from artifact, generate_series(1, 149) n where version_id = $1`,
      [next.id],
    );
    await deliver();
    receiver.received.length = 0;
    await api.world.revoke(next, { inMs: 3_600_000 });
    await pool.query(
      `update build set labels = (select jsonb_object_agg(n::text, repeat('x', 1000)) from generate_series(1, 70) n)
        where version_id = $1`,
      [next.id],
    );
    await api.world.assign(next, 'dev');
    await api.world.assign(first, 'dev');
    await deliver();

    const [scheduled, , back] = receiver.received.map(({ body }) => body.event_payload);
    expect(scheduled.builds[0].artifacts.length).toBe(100);
    expect(scheduled.truncated).toEqual({ build_count: 1, artifact_count: 150 });
    expect(back).toMatchObject({
      builds: [{ artifacts: [{ region: 'here' }] }],
      previous_version: { id: next.id },
      previous_builds: [],
      previous_truncated: { build_count: 1, artifact_count: 150 },
    });
    expect(back).not.toHaveProperty('truncated');
    await remove(name);
  });

  it('reaches every heir and every webhook once, in statements of some megabytes at most', async () => {
    const { version: root } = await api.world.lineWithVersion();
    const heirs = await seedLines(database().store, 120, { versions: 1, parents: () => [root.id] });
    await database().store.pool.query(
      `update build set labels = (select jsonb_object_agg(n::text, repeat('x', 1000)) from generate_series(1, 50) n)
        where version_id = any($1)`,
      [heirs.flatMap(({ versions }) => versions)],
    );
    const names = [await make({ subscriptions: scheduling }), await make({ subscriptions: scheduling })];
    const written = vi.spyOn(Client.prototype, 'query');
    await api.world.revoke(root, { inMs: 3_600_000 });
    const longest = Math.max(...written.mock.calls.map((given) => JSON.stringify(given[1] ?? []).length));
    written.mockRestore();

    // 120 payloads of 50 kB.
    expect(longest).toBeGreaterThan(500_000);
    expect(longest).toBeLessThan(2_000_000);
    const { rows } = await database().store.pool.query(
      `select count(*)::integer as calls, count(distinct payload -> 'event_payload' -> 'version' ->> 'id')::integer as versions
        from webhook_delivery d join webhook w on w.id = d.webhook_id where w.name = any($1) and d.state = 'pending'`,
      [names],
    );
    expect(rows).toEqual([{ calls: 242, versions: 121 }]);
    for (const name of names) await remove(name);
  });

  it('is told of heirs of a deleted version that are restored', async () => {
    const { bucket: top, version: root } = await api.world.lineWithVersion();
    const middle = await api.world.line({ parents: [top] });
    const heir = await api.world.bake(middle);
    await api.world.assign(heir, 'dev');
    await api.world.assign(heir, 'prod');
    const last = await api.world.bake(await api.world.line({ parents: [middle] }));
    await api.world.revoke(root, { rollBack: false });
    await database().store.pool.query('update version set deleted_at = now() where id = $1', [root.id]);
    const name = await make({
      subscriptions: [{ events: [{ source: webhookSource, action: 'restore' }] }],
    });
    receiver.received.length = 0;
    await api.world.registry.revocations.restore(heir.id, 'no hole', ann);
    await deliver();

    expect(receiver.received.map(({ body }) => body.event_payload.version.id)).toEqual([heir.id, last.id]);
    await remove(name);
  });
});

describe('a version that is deleted', () => {
  it('is told by the fingerprint that it had', async () => {
    const name = await make();
    const next = await api.world.bake(bucket);
    await deliver();
    receiver.received.length = 0;
    const gone = await hcp.call('DELETE', `~/buckets/${bucket}/versions/${next.fingerprint}`);
    expect(gone.status, gone.message).toBe(200);
    await deliver();

    // `latest` leaves it.
    expect(new Set(told())).toEqual(new Set(['assign', 'delete']));
    expect(receiver.received.find(({ body }) => body.event_action === 'delete')?.body).toMatchObject({
      event_payload: { bucket: { name: bucket }, version: { id: next.id, fingerprint: next.fingerprint } },
    });
    await remove(name);
  });
});

describe('a call that is not taken', () => {
  it('is kept with why, and taken at a later try with the same body', async () => {
    const name = await make();
    await api.world.assign(version, 'dev');
    receiver.received.length = 0;
    receiver.answer(500, 302, 'hang');
    const activities = createWebhookActivities({
      registry: api.world.registry,
      send: (sent) => sendWebhook({ ...sent, timeoutMs: 300 }),
      unseal: () => '',
    });
    const [first] = await deliver();
    expect(first).toContain('it answered 500');
    const [{ id }] = await history(name);
    const again = () =>
      new MockActivityEnvironment({}, { logger: quiet }).run(async () => activities.callWebhook(id));

    await expect(again()).rejects.toThrow('it answered 302');
    await expect(again()).rejects.toThrow('no answer within 0.3 s');
    expect((await history(name))[0]).toMatchObject({ state: 'pending', response: null, retries: 2 });
    expect(await again()).toBe('delivered');
    expect(await again()).toBe('delivered');

    expect((await history(name))[0]).toMatchObject({
      state: 'delivered',
      response: { status_code: 204 },
      retries: 3,
      error: null,
    });
    expect(receiver.received.length).toBe(4);
    expect(new Set(receiver.received.map(({ text }) => text)).size).toBe(1);
    await remove(name);
  });

  it('to a dead address, or with a key of another token, says so', async () => {
    const name = await make({ config: { url: receiver.url, hmac_key: 'hush' } });
    await database().store.pool.query("update webhook set url = 'http://127.0.0.1:9/' where name = $1", [
      name,
    ]);
    await api.world.bake(bucket);
    expect((await deliver()).every((went) => went.includes('ECONNREFUSED'))).toBe(true);
    await api.world.bake(bucket);
    const went = await deliver(keysFrom('another token'));
    expect(went.length).toBeGreaterThan(0);
    expect(went.every((one) => one.includes('another BAKEHOUSE_TOKEN'))).toBe(true);
    await remove(name);
  });

  it('is dropped once its webhook is disabled, and gone with it', async () => {
    const name = await make();
    const rest = await make({ subscriptions: [] });
    await api.world.bake(bucket);
    await call('PATCH', escaped(name), { update_mask: 'enabled', webhook: {} });
    receiver.received.length = 0;

    expect(new Set(await deliver())).toEqual(new Set(['dropped']));
    expect(receiver.received).toEqual([]);
    expect((await history(name)).map(({ state }: { state: string }) => state)).toContain('dropped');
    expect((await history(rest)).length).toBe(1);
    const { body } = await call('GET', escaped(name, '/deliveries?pagination.page_size=1'));
    const token = body.pagination.next_page_token;
    expect(body.deliveries.length).toBe(1);
    const next = await call(
      'GET',
      escaped(name, `/deliveries?pagination.page_size=1&pagination.next_page_token=${token}`),
    );
    expect(next.body.deliveries[0].id < body.deliveries[0].id).toBe(true);
    await remove(name);
    await remove(rest);
  });
});
