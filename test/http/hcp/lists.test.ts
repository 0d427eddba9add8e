import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openGates } from '../../../src/domain/image-line.ts';
import type { Version } from '../../../src/domain/version.ts';
import { project } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import type { Api } from '../support/api.ts';
import { startApi, tokens } from '../support/api.ts';
import { tokenOf } from '../support/token-of.ts';
import type { Hcp } from './support/hcp.ts';
import { hcpOf } from './support/hcp.ts';

const database = useDatabase();
let api: Api;
let hcp: Hcp;
let base: string;
let child: string;
let first: Version;
let ofChild: Version;
/** Of all buckets, by name. */
let names: string[];

beforeAll(async () => {
  api = startApi(database());
  const { world } = api;
  ({ bucket: base, version: first } = await world.lineWithVersion());
  ({ bucket: child, version: ofChild } = await world.lineWithVersion({ parents: [base] }));
  hcp = await hcpOf(api);
  names = [base, child, await world.line(), await world.line(), await world.line()].toSorted();
});
afterAll(() => api.app.close());

const pages = z.object({ next_page_token: z.string(), previous_page_token: z.string() });
const buckets = z.object({ buckets: z.array(z.object({ name: z.string() })), pagination: pages });

async function bucketsOf(query: Readonly<Record<string, string>>, token?: string) {
  const answer = await hcp.get(`~/buckets?${new URLSearchParams(query).toString()}`, token);
  const { buckets: found, pagination } = buckets.parse(answer.body);
  return { found: found.map(({ name }) => name), ...pagination };
}

describe('buckets in pages', () => {
  it('are turned on and back, as Terraform asks for their names', async () => {
    const size = { 'sorting.order_by': 'name', 'pagination.page_size': '2' };
    const one = await bucketsOf(size);
    const two = await bucketsOf({ ...size, 'pagination.next_page_token': one.next_page_token });
    const three = await bucketsOf({ ...size, 'pagination.next_page_token': two.next_page_token });
    const again = await bucketsOf({ ...size, 'pagination.previous_page_token': three.previous_page_token });

    expect([...one.found, ...two.found, ...three.found]).toEqual(names);
    expect(again.found).toEqual(two.found);
    expect([one.previous_page_token, three.next_page_token]).toEqual(['', '']);
    expect((await bucketsOf({ 'sorting.order_by': 'name' })).found).toEqual(names);
    expect((await bucketsOf({})).found).toEqual(names);
  });

  it('are sorted by several keys, in one value or in many', async () => {
    expect((await bucketsOf({ 'sorting.order_by': 'name desc' })).found).toEqual(names.toReversed());
    const made = (await bucketsOf({ 'sorting.order_by': 'created_at asc, name' })).found;
    const many = await hcp.get('~/buckets?sorting.order_by=created_at&sorting.order_by=name');
    expect(buckets.parse(many.body).buckets.map(({ name }) => name)).toEqual(made);
    const size = { 'sorting.order_by': 'created_at desc,name', 'pagination.page_size': '3' };
    const one = await bucketsOf(size);
    const two = await bucketsOf({ ...size, 'pagination.next_page_token': one.next_page_token });
    expect([...one.found, ...two.found]).toEqual(made.toReversed());
  });

  it.each([
    ['a key that there is none of', 'sorting.order_by=size'],
    ['a key more than once', 'sorting.order_by=name,name desc'],
    ['an order that is none', 'sorting.order_by=name up'],
    ['a size that is none', 'pagination.page_size=-1'],
    ['a size twice', 'pagination.page_size=1&pagination.page_size=2'],
    ['a token that is none', 'pagination.next_page_token=e30'],
    ['a token of nothing that can be read', 'pagination.next_page_token=%F0%9F%98%80'],
    ['both tokens', 'pagination.next_page_token=a&pagination.previous_page_token=b'],
  ])('refuse %s', async (_, query) => {
    expect(await hcp.get(`~/buckets?${query}`)).toMatchObject({ status: 400, code: 3 });
  });

  it('refuse a token of another order, of another list and of nothing that was ever in it', async () => {
    const { next_page_token: token } = await bucketsOf({ 'pagination.page_size': '1' });
    const forged = Buffer.from(JSON.stringify(['ListBuckets', '', first.id])).toString('base64url');

    for (const path of [
      `~/buckets?sorting.order_by=name%20desc&pagination.next_page_token=${token}`,
      `~/buckets/${base}/versions?pagination.next_page_token=${token}`,
      `~/buckets?pagination.next_page_token=${forged}`,
    ]) {
      expect(await hcp.get(path)).toMatchObject({ status: 400, code: 3 });
    }
    expect((await bucketsOf({ 'pagination.page_size': '9223372036854775807' })).found).toEqual(names);
  });

  it('are those that a principal of buckets sees', async () => {
    const token = await tokenOf(api, 'of-one', null, [{ bucket: base, role: 'viewer' }]);

    expect((await bucketsOf({}, token)).found).toEqual([base]);
    expect(await hcp.get(`~/buckets/${child}`, token)).toMatchObject({ status: 403, code: 7 });
    const nobody = await tokenOf(api, 'of-none', null, []);
    expect(await hcp.get('~/buckets', nobody)).toMatchObject({ status: 403, code: 7 });
  });
});

describe('versions and history in pages', () => {
  it('come newest first, and count', async () => {
    const bucket = await api.world.line();
    for (let made = 0; made < 3; made += 1) await api.world.assign(await api.world.bake(bucket), 'dev');
    const open = await api.world.open(bucket);
    const list = z.object({ versions: z.array(z.object({ name: z.string() })), pagination: pages });
    const read = async (query: string) => {
      const { body } = await hcp.get(`~/buckets/${bucket}/versions?${query}`);
      const { versions, pagination } = list.parse(body);
      return { found: versions.map(({ name }) => name), ...pagination };
    };

    const one = await read('pagination.page_size=3');
    expect(one.found).toEqual(['v0', 'v3', 'v2']);
    expect((await read(`pagination.next_page_token=${one.next_page_token}`)).found).toEqual(['v1']);
    expect((await read('sorting.order_by=name desc')).found).toEqual(['v3', 'v2', 'v1', 'v0']);
    expect((await read('sorting.order_by=updated_at,created_at,fingerprint')).found).toHaveLength(4);

    const path = `~/buckets/${bucket}/channels/dev/history`;
    const rows = z.object({
      history: z.array(z.object({ version: z.object({ name: z.string() }), author_id: z.string() })),
      count: z.number(),
      pagination: pages,
    });
    const whole = rows.parse((await hcp.get(path)).body);
    expect(whole.history.map(({ version }) => version.name)).toEqual(['v3', 'v2', 'v1']);
    expect(whole).toMatchObject({ count: 3, history: [{ author_id: 'ann' }, {}, {}] });
    const { pagination } = rows.parse((await hcp.get(`${path}?pagination.page_size=2`)).body);
    const rest = await hcp.get(`${path}?pagination.next_page_token=${pagination.next_page_token}`);
    expect(rest.body).toMatchObject({ history: [{ version: { name: 'v1' } }], count: 3 });
    expect(await hcp.get(`~/buckets/${bucket}/channels/latest/history`)).toMatchObject({
      body: { history: [{ author_id: 'HCP Packer' }, {}, {}] },
    });
    expect(await hcp.get(`~/buckets/${bucket}/channels/latest/history`, tokens.viewer)).toMatchObject({
      status: 403,
      code: 7,
    });
    expect(await hcp.get(`~/buckets/${bucket}`)).toMatchObject({
      body: { bucket: { version_count: '3', latest_version: { name: 'v3' } } },
    });
    expect(open.number).toBeNull();
  });
});

const search = (body: unknown, token?: string) =>
  hcp.call('POST', '~/_search/external_artifact', body, token);

describe('an image by its id in the cloud', () => {
  it('is found with its version, by place too, and not by who does not see its bucket', async () => {
    const id = first.builds[0]?.artifacts[0]?.image.imageId;
    const wanted = { external_identifier: id };

    expect(await search(wanted)).toMatchObject({
      status: 200,
      body: {
        artifacts: [
          {
            bucket: { name: base },
            version: { id: first.id, status: 'VERSION_ACTIVE', revoke_at: null },
            build: { artifacts: [{ external_identifier: id }] },
          },
        ],
      },
    });
    const none = { status: 200, body: { artifacts: [] } };
    expect(await search({ ...wanted, platform: 'qemu', region: 'here' })).not.toMatchObject(none);
    expect(await search({ ...wanted, region: 'there' })).toMatchObject(none);
    expect(await search({ ...wanted, platform: 'aws' })).toMatchObject(none);
    const token = await tokenOf(api, 'of-child', null, [{ bucket: child, role: 'admin' }]);
    expect(await search(wanted, token)).toMatchObject(none);
    expect(await search({})).toMatchObject({ status: 400, code: 3 });
    expect(await search({ external_identifier: 'é'.repeat(2000) })).toMatchObject({ status: 400, code: 3 });
  });
});

const relations = async (bucket: string, query = '', token?: string) =>
  (await hcp.get(`~/buckets/${bucket}/ancestry?${query}`, token)).body;

describe('ancestry', () => {
  it('lists parents and children with what their channel points to now', async () => {
    const relation = {
      parent: {
        bucket_name: base,
        version_id: first.id,
        version_name: 'v1',
        version_fingerprint: first.fingerprint,
        channel_name: 'dev',
        channel_version: { id: first.id, name: 'v1', fingerprint: first.fingerprint },
      },
      child: {
        bucket_name: child,
        version_id: ofChild.id,
        version_name: 'v1',
        version_fingerprint: ofChild.fingerprint,
      },
      status: 'UP_TO_DATE',
    };
    const one = { relations: [relation], total_count: 1 };

    expect(await relations(child)).toMatchObject(one);
    expect(await relations(child, `version_fingerprint=${ofChild.fingerprint}`)).toMatchObject(one);
    expect(await relations(base, 'type=ANCESTRY_TYPE_CHILDREN')).toMatchObject(one);
    expect(await relations(base, 'channel_name=dev')).toMatchObject(one);
    const none = { relations: [], total_count: 0 };
    expect(await relations(base, 'channel_name=prod')).toMatchObject(none);
    expect(await relations(base, 'type=ANCESTRY_TYPE_PARENTS')).toMatchObject(none);
    expect(await relations(child, 'type=ANCESTRY_TYPE_CHILDREN')).toMatchObject(none);
    expect(await hcp.get(`~/buckets/${base}/ancestry?type=all`)).toMatchObject({ code: 3 });
    expect(await hcp.get(`~/buckets/${base}/ancestry?channel_name=none`)).toMatchObject({ code: 5 });
    expect(await hcp.get(`~/buckets/${base}/ancestry?version_fingerprint=none`)).toMatchObject({ code: 5 });
    expect(await hcp.get(`~/buckets/${base}`)).toMatchObject({
      body: { bucket: { children: { status: 'UP_TO_DATE' }, latest_version: { has_descendants: true } } },
    });
  });

  it('is undetermined for who does not see the channel, and shows no bucket that he does not see', async () => {
    const { db } = database().store;
    const restrict = (restricted: boolean) =>
      db
        .updateTable('channel')
        .set({ restricted })
        .where('name', '=', 'dev')
        .where('bucket_id', '=', (one) => one.selectFrom('bucket').select('id').where('name', '=', base))
        .execute();
    await restrict(true);
    try {
      expect(await relations(child, '', tokens.viewer)).toMatchObject({
        relations: [{ parent: { channel_name: '', channel_version: null }, status: 'UNDETERMINED' }],
      });
      expect(await relations(child)).toMatchObject({ relations: [{ status: 'UP_TO_DATE' }] });
      expect(await hcp.get(`~/buckets/${child}`, tokens.viewer)).toMatchObject({
        body: {
          bucket: {
            parents: { status: 'UNDETERMINED' },
            latest_version: { parents: { status: 'UNDETERMINED' } },
          },
        },
      });
      expect(await hcp.get(`~/buckets/${base}/ancestry?channel_name=dev`, tokens.viewer)).toMatchObject({
        code: 7,
      });
    } finally {
      await restrict(false);
    }
    const token = await tokenOf(api, 'child-only', null, [{ bucket: child, role: 'admin' }]);
    expect(await relations(child, '', token)).toMatchObject({ relations: [], total_count: 0 });
    expect(await hcp.get(`~/buckets/${child}`, token)).toMatchObject({
      body: { bucket: { parents: { status: 'UNDETERMINED' } } },
    });
  });

  it('is out of date once the channel points elsewhere, and undetermined once it is deleted', async () => {
    await api.world.assign(await api.world.bake(base), 'dev');

    expect(await relations(child)).toMatchObject({
      relations: [{ parent: { version_name: 'v1', channel_version: { name: 'v2' } }, status: 'OUT_OF_DATE' }],
    });
    expect(await hcp.get(`~/buckets/${base}`)).toMatchObject({
      body: { bucket: { children: { status: 'OUT_OF_DATE' } } },
    });
    const { db } = database().store;
    const gone = await db
      .insertInto('channel')
      .values({
        id: '01J00000000000000000000000',
        bucket_id: (one) => one.selectFrom('bucket').select('id').where('name', '=', base),
        name: '01J00000000000000000000000',
        position: null,
        gates: JSON.stringify(openGates),
        created_at: '2026-01-01T00:00:00Z',
        updated_at: '2026-01-01T00:00:00Z',
        deleted_at: '2026-01-01T00:00:00Z',
        deleted_name: 'gone',
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    await db
      .updateTable('ancestry')
      .set({ channel_id: gone.id })
      .where('child_version_id', '=', ofChild.id)
      .execute();
    expect(await relations(child)).toMatchObject({
      relations: [{ parent: { channel_name: '', channel_version: null }, status: 'UNDETERMINED' }],
    });
  });
});

describe('a revoked version', () => {
  it('leaves latest in any case, and stays on a channel that does not roll back, with its date', async () => {
    const bucket = await api.world.line();
    const older = await api.world.bake(bucket);
    const newer = await api.world.bake(bucket);
    await api.world.assign(newer, 'dev');
    await api.world.revoke(newer, { rollBack: false, reason: 'a hole' });
    const channel = async (name: string) => (await hcp.get(`~/buckets/${bucket}/channels/${name}`)).body;

    expect(await channel('latest')).toMatchObject({
      channel: { version: { id: older.id, revoke_at: null } },
    });
    expect(await channel('dev')).toMatchObject({
      channel: {
        version: {
          id: newer.id,
          status: 'VERSION_REVOKED',
          revocation_message: 'a hole',
          revocation_author: 'ann',
          revocation_type: 'MANUAL',
          revocation_inherited_from: null,
        },
      },
    });
    const history = (await api.ok('getChannelHistory', { project, bucket, channel: 'latest' })).history;
    expect(history.map(({ versionName }) => versionName)).toEqual(['v1', 'v2', 'v1']);
  });

  it('says whose revocation a child inherits', async () => {
    const { bucket: parent, version } = await api.world.lineWithVersion();
    const { bucket, version: heir } = await api.world.lineWithVersion({ parents: [parent] });
    await api.world.revoke(version, { inMs: 3_600_000 });

    expect(await hcp.get(`~/buckets/${bucket}/versions/${heir.fingerprint}`)).toMatchObject({
      body: {
        version: {
          status: 'VERSION_REVOCATION_SCHEDULED',
          revocation_type: 'INHERITED',
          revocation_inherited_from: {
            bucket_name: parent,
            version_id: version.id,
            version_name: 'v1',
            version_fingerprint: version.fingerprint,
          },
        },
      },
    });
  });

  it('is one from its date on, before anybody wrote that down', async () => {
    const { bucket, version: older } = await api.world.lineWithVersion();
    const heirs = await api.world.lineWithVersion({ parents: [bucket] });
    const newer = await api.world.bake(bucket);
    await api.world.assign(newer, 'dev');
    const heir = await api.world.bake(heirs.bucket);
    const revocation = await api.world.revoke(newer, { inMs: 3_600_000, descendants: false });
    const channel = async () => (await hcp.get(`~/buckets/${bucket}/channels/dev`)).body;
    const parents = async () =>
      (await hcp.get(`~/buckets/${heirs.bucket}/versions/${heir.fingerprint}`)).body;
    expect(await channel()).toMatchObject({
      channel: { version: { id: newer.id, status: 'VERSION_REVOCATION_SCHEDULED' } },
    });
    expect(await parents()).toMatchObject({ version: { parents: { status: 'UP_TO_DATE' } } });

    await database()
      .store.db.updateTable('revocation')
      .set({ due_at: '2026-01-01T00:00:00Z' })
      .where('id', '=', revocation)
      .execute();

    expect(await channel()).toMatchObject({
      channel: { version: { id: older.id, status: 'VERSION_ACTIVE' } },
    });
    expect(await parents()).toMatchObject({ version: { parents: { status: 'OUT_OF_DATE' } } });
    expect(await hcp.get(`~/buckets/${bucket}/versions/${newer.fingerprint}`)).toMatchObject({
      body: { version: { status: 'VERSION_REVOKED', revoke_at: '2026-01-01T00:00:00.000Z' } },
    });
    expect(await hcp.get(`~/buckets/${bucket}`)).toMatchObject({
      body: { bucket: { latest_version: { id: newer.id, status: 'VERSION_REVOKED' } } },
    });
  });
});
