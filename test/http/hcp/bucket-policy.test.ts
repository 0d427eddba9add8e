import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operatorName } from '../../../src/domain/actor.ts';
import { firstOf, servicePrincipals, tokenPrincipals } from '../../../src/http/principals.ts';
import { createRegistry } from '../../../src/registry/create-registry.ts';
import { ann, project } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import type { Api } from '../support/api.ts';
import { startApi, tokens } from '../support/api.ts';
import { tokenOf } from '../support/token-of.ts';
import type { Hcp } from './support/hcp.ts';
import { hcpOf } from './support/hcp.ts';

const database = useDatabase();
const path = '/2019-12-10/resource-manager/resources/iam-policy';
let api: Api;
let hcp: Hcp;
let bucket: string;
let other: string;
let one: string;
let two: string;
let oneToken: string;

beforeAll(async () => {
  const registry = createRegistry(database().store);
  api = startApi(database(), {
    principals: firstOf(
      tokenPrincipals([{ name: operatorName, token: tokens.admin, role: 'admin' }]),
      servicePrincipals(registry.tokens),
    ),
  });
  other = await api.world.line();
  hcp = await hcpOf(api);
  oneToken = await tokenOf(api, 'one', null);
  await tokenOf(api, 'two', null);
  [one, two] = await idsOf('one', 'two');
});
beforeEach(async () => {
  bucket = await api.world.line();
});
afterAll(() => api.app.close());

async function idsOf(...names: readonly string[]): Promise<[string, string]> {
  const all = await api.world.registry.principals.list(project);
  const [first = '', second = ''] = names.map((name) => all.find((found) => found.name === name)?.id ?? '');
  return [first, second];
}

const nameOf = (of: string): string => `packer/project/${hcp.projectId}/bucket/${of}`;
const read = (of = bucket, by?: string) =>
  api.raw('GET', `${path}?resource_name=${encodeURIComponent(nameOf(of))}`, undefined, by);
const write = (policy: unknown, of = bucket, by?: string) =>
  api.raw('PUT', path, { resource_name: nameOf(of), policy }, by);
const binding = (role: string, ...members: readonly string[]) => ({
  role_id: `roles/${role}`,
  members: members.map((member_id) => ({ member_id, member_type: 'SERVICE_PRINCIPAL' })),
});
const etagOf = (body: unknown): string =>
  z.object({ policy: z.object({ etag: z.string() }) }).parse(body).policy.etag;
const batch = (ids: readonly string[], by?: string, organization = hcp.organizationId) =>
  api.raw(
    'GET',
    `/iam/2019-12-10/organizations/${organization}/principals?${ids.map((id) => `principal_ids=${id}`).join('&')}`,
    undefined,
    by,
  );

describe('the policy of a bucket', () => {
  it('gives roles on it, which count at once and are seen by `principals list`', async () => {
    expect(await read()).toMatchObject({ status: 200, body: { policy: { bindings: [] } } });
    expect(await hcp.get(`~/buckets/${bucket}`, oneToken)).toMatchObject({ status: 403, code: 7 });

    const written = await write({ bindings: [binding('contributor', one), binding('viewer', two)] });

    expect(written).toMatchObject({
      status: 200,
      body: { policy: { bindings: [binding('viewer', two), binding('contributor', one)] } },
    });
    expect((await read()).body).toEqual(written.body);
    expect(await hcp.get(`~/buckets/${bucket}`, oneToken)).toMatchObject({ status: 200 });
    expect(await api.world.registry.principals.list(project)).toMatchObject([
      { name: 'one', buckets: [{ bucket, role: 'contributor' }] },
      { name: 'two', buckets: [{ bucket, role: 'viewer' }] },
    ]);
    await write({ bindings: null });
    expect(await hcp.get(`~/buckets/${bucket}`, oneToken)).toMatchObject({ status: 403, code: 7 });
  });

  it('leaves roles elsewhere as they are, and tells the changes of each principal', async () => {
    const { sequence } = await database()
      .store.db.selectFrom('event')
      .select('sequence')
      .orderBy('sequence', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow();
    await write({ bindings: [binding('viewer', one)] }, other);
    await write({ bindings: [binding('admin', one, two)] });
    await write({ bindings: [binding('admin', one)] });

    expect(await read(other)).toMatchObject({ body: { policy: { bindings: [binding('viewer', one)] } } });
    const events = await database()
      .store.db.selectFrom('event')
      .select(['kind', 'subject_id', 'actor'])
      .where('sequence', '>', sequence)
      .where('kind', '=', 'principal.roles_set')
      .orderBy('sequence')
      .execute();
    expect(events.filter(({ subject_id }) => subject_id === one)).toHaveLength(2);
    expect(events.filter(({ subject_id }) => subject_id === two)).toHaveLength(2);
    expect(events).toHaveLength(4);
    expect(events.every(({ actor }) => actor.name === operatorName)).toBe(true);
    await write({}, other);
  });

  it('is replaced by who has read it only, and again without a change', async () => {
    const before = etagOf((await read()).body);
    const policy = { etag: before, bindings: [binding('viewer', one)] };

    const written = await write(policy);
    expect(etagOf(written.body)).not.toBe(before);
    expect((await write(policy)).body).toEqual(written.body);
    expect(await write({ etag: before, bindings: [binding('viewer', two)] })).toMatchObject({
      status: 409,
      code: 10,
    });
    expect(await write({ bindings: [binding('viewer', two)] })).toMatchObject({ status: 200 });
  });

  it('lets one of two win who have read the same', async () => {
    const etag = etagOf((await read()).body);

    const answers = await Promise.all(
      [one, two].map((member) => write({ etag, bindings: [binding('viewer', member)] })),
    );

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
  });

  it('takes the highest role of a principal that has several', async () => {
    expect(await write({ bindings: [binding('admin', one), binding('viewer', one)] })).toMatchObject({
      body: { policy: { bindings: [binding('admin', one)] } },
    });
  });

  it('is for admins of the bucket, who need no role elsewhere', async () => {
    await write({ bindings: [binding('contributor', one)] });
    expect(await read(bucket, oneToken)).toMatchObject({ status: 403, code: 7 });
    expect(await write({ bindings: [binding('admin', one)] }, bucket, oneToken)).toMatchObject({ code: 7 });

    await write({ bindings: [binding('admin', one)] });
    expect(await read(bucket, oneToken)).toMatchObject({ status: 200 });
    expect(await read(other, oneToken)).toMatchObject({ status: 403, code: 7 });
    expect(await read('absent', oneToken)).toMatchObject({ status: 403, code: 7 });
    expect(await write({ bindings: [binding('admin', one, two)] }, bucket, oneToken)).toMatchObject({
      status: 200,
    });
  });

  it('refuses what it cannot hold, with what to write instead', async () => {
    const user = { role_id: 'roles/viewer', members: [{ member_id: one, member_type: 'USER' }] };

    expect(await write({ bindings: [binding('owner', one)] })).toMatchObject({
      status: 400,
      code: 3,
      message: expect.stringContaining('roles/viewer'),
    });
    expect(await write({ bindings: [user] })).toMatchObject({ status: 400, code: 3 });
    expect(await write({ bindings: [binding('viewer', ulid())] })).toMatchObject({ status: 404, code: 5 });
    expect(await read('absent')).toMatchObject({
      status: 404,
      code: 5,
      message: 'Error: The bucket with identifier absent does not exist.',
    });
    expect(await api.raw('GET', `${path}?resource_name=project/x`)).toMatchObject({ status: 400, code: 3 });
    expect(await api.raw('GET', path)).toMatchObject({ status: 400, code: 3 });
    const nowhere = 'packer/project/nowhere/bucket/some';
    expect(await api.raw('GET', `${path}?resource_name=${nowhere}`)).toMatchObject({ status: 404, code: 5 });
    expect(await api.raw('GET', `${path}?resource_name=${nowhere}`, undefined, oneToken)).toMatchObject({
      code: 7,
    });
  });
});

describe('principals', () => {
  it('are found by id for who gives roles, and everybody finds himself', async () => {
    const found = await batch([one, two, ulid()]);

    expect(found).toMatchObject({
      status: 200,
      body: {
        principals: [one, two].toSorted().map((id) => ({
          id,
          type: 'PRINCIPAL_TYPE_SERVICE',
          service: { id, project_id: hcp.projectId, organization_id: hcp.organizationId },
        })),
      },
    });
    const token = await tokenOf(api, 'three', null);
    const [three] = await idsOf('three');
    expect(await batch([one, three], token)).toMatchObject({ body: { principals: [{ id: three }] } });
    await write({ bindings: [binding('admin', three)] });
    expect((await batch([one, three], token)).body).toMatchObject({ principals: { length: 2 } });
    expect(await batch([])).toMatchObject({ status: 200, body: { principals: [] } });
  });

  it('are told to nobody of another organization', async () => {
    const { registry } = api.world;
    await registry.tenancy.createProject({ project: 'foreign', organization: 'globex', by: ann });
    const { organization } = await registry.tenancy.project('foreign');

    expect(await batch([one], oneToken, organization.id)).toMatchObject({ status: 403, code: 7 });
    expect(await batch([one], undefined, organization.id)).toMatchObject({ body: { principals: [] } });
    expect(await batch([one], undefined, 'nowhere')).toMatchObject({ status: 404, code: 5 });
  });
});
