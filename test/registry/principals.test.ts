import { ulid } from 'ulid';
import { beforeAll, describe, expect, it } from 'vitest';
import { newAccessToken, newClientSecret } from '../../src/http/credentials.ts';
import type { NewSecret, Roles } from '../../src/registry/contract/principals.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { useDatabase } from '../support/database.ts';
import { ann, createWorld, project, refusal } from './support/world.ts';

const database = useDatabase();
let registry: Registry;
let bucket: string;
const lifeMs = 3_600_000;

beforeAll(async () => {
  const world = createWorld(database());
  ({ registry } = world);
  bucket = await world.line();
  await registry.tenancy.createProject({ project: 'sister', organization: 'default', by: ann });
  await registry.tenancy.createProject({ project: 'abroad', organization: 'other', by: ann });
});

const secret = (): NewSecret => newClientSecret();
const none: Roles = { role: null, buckets: [] };
const fresh = (): string => `p-${ulid().slice(-12).toLowerCase()}`;

async function make(over: Partial<Roles> & { readonly project?: string; readonly name?: string } = {}) {
  const given = { id: ulid(), project, name: fresh(), secret: secret(), by: ann, ...none, ...over };
  const principal = await registry.principals.create(given);
  return { principal, ...given };
}

async function tokenOf(clientId: string): Promise<Uint8Array> {
  const { digest } = newAccessToken();
  expect(await registry.tokens.issue({ clientId, digest, lifeMs })).toBe(true);
  return digest;
}

describe('a service principal', () => {
  it('is made once, with its roles, and leaves an event without a secret', async () => {
    const buckets = [{ bucket, role: 'contributor' as const }];
    const { principal, ...given } = await make({ role: 'viewer', buckets });

    expect(principal).toMatchObject({ name: given.name, project, role: 'viewer', buckets, by: ann });
    expect(await registry.principals.create(given)).toEqual(principal);
    const events = await registry.events.list(project, { limit: 1000 });
    const own = events.filter(({ subjectId }) => subjectId === given.id);
    expect(own).toMatchObject([{ kind: 'principal.created', by: ann, data: { principal: given.name } }]);
    expect(await registry.tokens.secretDigest(given.secret.clientId)).toEqual(
      Buffer.from(given.secret.digest),
    );
  });

  it('has a name of its own in its organization, and not the one of the operator or of an id', async () => {
    const { name } = await make();

    expect(await refusal('already_exists', make({ name }))).toContain(`rotate ${name}`);
    expect(await refusal('already_exists', make({ name, project: 'sister' }))).toContain(name);
    expect((await make({ name, project: 'abroad' })).principal.project).toBe('abroad');
    await refusal('invalid_input', make({ name: 'operator' }));
    await refusal('invalid_input', make({ name: ulid() }));
    await refusal('invalid_input', make({ name: 'a/b' }));
    await refusal('not_found', make({ project: 'nowhere' }));
    await refusal('not_found', make({ buckets: [{ bucket: 'nothing', role: 'viewer' }] }));
  });

  it('is given roles by other projects of its organization, and managed only where it lives', async () => {
    const { name, principal } = await make({ role: 'admin' });
    const there = { project: 'sister', principal: name, by: ann };

    expect(await refusal('not_found', registry.principals.revoke({ ...there, reason: 'no' }))).toContain(
      'sister',
    );
    const seen = await registry.principals.setRoles({ ...there, ...none, role: 'viewer' });
    expect(seen).toMatchObject({ project, role: 'viewer' });
    expect((await registry.principals.list('sister')).map((one) => one.name)).toContain(name);
    for (const attempt of [
      registry.principals.revoke({ ...there, reason: 'no' }),
      registry.principals.rotate({ ...there, secret: secret(), graceMs: 0 }),
    ]) {
      expect(await refusal('permission_denied', attempt)).toContain(`lives in project "${project}"`);
    }
    await refusal('not_found', registry.principals.setRoles({ ...there, project: 'abroad', ...none }));
    await refusal(
      'not_found',
      registry.principals.setRoles({ project: 'abroad', principal: principal.id, by: ann, ...none }),
    );
  });

  it('is not told of to another project that gives it no role', async () => {
    const { name } = await make({ role: 'admin' });

    await refusal(
      'not_found',
      registry.principals.setRoles({ project: 'sister', principal: name, by: ann, ...none }),
    );
    const guest = { project: 'sister', principal: name, by: ann };
    await registry.principals.setRoles({ ...guest, ...none, role: 'viewer' });
    expect(await registry.principals.setRoles({ ...guest, ...none })).toMatchObject({ role: null });
  });

  it('is told apart by its id from another one that has its name later', async () => {
    const world = createWorld(database());
    const gated = await world.line({
      channels: { dev: {}, live: { approvals: 2, approvalDeadlineMs: 60_000 } },
    });
    const version = await world.bake(gated);
    const { id } = await registry.promotions.request({
      project,
      bucket: gated,
      channel: 'live',
      versionId: version.id,
      reason: 'x',
      by: ann,
    });
    for (const principal of [ulid(), ulid(), 'again']) {
      const by = { name: 'twin', via: 'api' as const, principal };
      await registry.promotions.approve(id, by);
      await registry.promotions.approve(id, by);
    }

    const { approvals } = await registry.promotions.get(id);
    expect(approvals.map(({ by }) => by)).toEqual(['twin', 'twin', 'twin']);
  });

  it('writes no event where the roles stay the same', async () => {
    const { id, name } = await make({ role: 'viewer' });
    const set = (role: Roles['role']) =>
      registry.principals.setRoles({ project, principal: name, by: ann, ...none, role });

    await set('viewer');
    await set('admin');
    await set('admin');
    const events = await registry.events.list(project, { limit: 1000 });
    const kinds = events.filter(({ subjectId }) => subjectId === id).map(({ kind }) => kind);
    expect(kinds).toEqual(['principal.created', 'principal.roles_set']);
  });
});

describe('the database', () => {
  it('holds principals, projects and buckets of one organization together by itself', async () => {
    const { id } = await make();
    const { id: home, organization } = await registry.tenancy.project(project);
    const abroad = await registry.tenancy.project('abroad');
    const insert = (over: object) =>
      database()
        .store.db.insertInto('principal_role')
        .values({
          principal_id: id,
          organization_id: organization.id,
          project_id: home,
          bucket_id: null,
          role: 'viewer',
          ...over,
        })
        .execute();

    await expect(insert({ project_id: abroad.id })).rejects.toThrow('foreign key');
    await expect(insert({ project_id: abroad.id, organization_id: abroad.organization.id })).rejects.toThrow(
      'foreign key',
    );
    const { id: bucketId } = await registry.lines.get(project, bucket);
    const sister = await registry.tenancy.project('sister');
    await expect(insert({ project_id: sister.id, bucket_id: bucketId })).rejects.toThrow('foreign key');
    await insert({});
    await expect(insert({})).rejects.toThrow('duplicate key');
  });
});

describe('secrets', () => {
  it('work until their grace is over, and one that is in use outlives a second rotation', async () => {
    const { principal, secret: first } = await make({ role: 'viewer' });
    const [second, third] = [secret(), secret()];
    const rotate = (next: NewSecret, graceMs = 60_000) =>
      registry.principals.rotate({ project, principal: principal.name, secret: next, graceMs, by: ann });
    const old = await tokenOf(first.clientId);

    const once = await rotate(second);
    expect(once.secrets).toMatchObject([
      { clientId: second.clientId, endsAt: null },
      { clientId: first.clientId, endsAt: expect.any(String), usedAt: expect.any(String) },
    ]);
    expect(await rotate(second)).toEqual(once);
    expect(await registry.tokens.holder(old)).toMatchObject({ principalId: principal.id });

    // Nobody used the second one: its answer got lost. The first keeps the end that its callers were promised.
    const twice = await rotate(third);
    expect(twice.secrets).toEqual([expect.objectContaining({ clientId: third.clientId }), once.secrets[1]]);
    expect(await registry.tokens.secretDigest(second.clientId)).toBeUndefined();
    expect(await registry.tokens.holder(old)).toMatchObject({ principalId: principal.id });

    await tokenOf(third.clientId);
    const fourth = secret();
    const thrice = await rotate(fourth);
    expect(thrice.secrets.map(({ clientId }) => clientId)).toEqual(
      [fourth, third, first].map(({ clientId }) => clientId),
    );
    const last = await rotate(secret(), 0);
    expect(last.secrets).toHaveLength(1);
    expect(await registry.tokens.holder(old)).toBeUndefined();
  });

  it('end by the clock of PostgreSQL, with the tokens that they got', async () => {
    const { principal, secret: first } = await make();
    const token = await tokenOf(first.clientId);
    await registry.principals.rotate({
      project,
      principal: principal.id,
      secret: secret(),
      graceMs: 60_000,
      by: ann,
    });
    await database()
      .store.db.updateTable('principal_secret')
      .set({ ends_at: '2026-01-01T00:00:00.000Z' })
      .where('client_id', '=', first.clientId)
      .execute();

    expect(await registry.tokens.secretDigest(first.clientId)).toBeUndefined();
    const listed = (await registry.principals.list(project)).find(({ id }) => id === principal.id);
    expect(listed?.secrets).toMatchObject([{ endsAt: null }]);
    expect(await registry.tokens.holder(token)).toBeUndefined();
    const { digest } = newAccessToken();
    expect(await registry.tokens.issue({ clientId: first.clientId, digest, lifeMs })).toBe(false);
  });

  it('go with a revocation, which is for good and frees the name', async () => {
    const { principal, secret: first, name } = await make({ role: 'admin' });
    const token = await tokenOf(first.clientId);
    const revoke = (named: string) =>
      registry.principals.revoke({ project, principal: named, reason: 'over', by: ann });

    const revoked = await revoke(name);
    expect(revoked).toMatchObject({ secrets: [], role: null, revokedAt: expect.any(String) });
    expect(await revoke(principal.id)).toEqual(revoked);
    expect(await registry.tokens.holder(token)).toBeUndefined();
    expect(await registry.tokens.secretDigest(first.clientId)).toBeUndefined();
    const again = { project, principal: principal.id, by: ann };
    await refusal('illegal_state', registry.principals.rotate({ ...again, secret: secret(), graceMs: 0 }));
    await refusal('illegal_state', registry.principals.setRoles({ ...again, ...none }));
    await refusal('not_found', revoke(name));
    expect((await make({ name })).principal.id).not.toBe(principal.id);
  });
});

describe('tokens', () => {
  it('tell at each look what their holder may do now', async () => {
    const { principal, secret: first } = await make({ buckets: [{ bucket, role: 'contributor' }] });
    const token = await tokenOf(first.clientId);

    expect(await registry.tokens.holder(token)).toMatchObject({
      principalId: principal.id,
      roles: [{ project, bucket, role: 'contributor' }],
    });
    await registry.principals.setRoles({
      project,
      principal: principal.id,
      by: ann,
      ...none,
      role: 'viewer',
    });
    expect((await registry.tokens.holder(token))?.roles).toEqual([{ project, bucket: null, role: 'viewer' }]);
    expect(await registry.tokens.holder(newAccessToken().digest)).toBeUndefined();
  });

  it('are over at their end, and removed by the next one', async () => {
    const { secret: first } = await make();
    const { clientId } = first;
    const { digest } = newAccessToken();
    await registry.tokens.issue({ clientId, digest, lifeMs: 0 });

    expect(await registry.tokens.holder(digest)).toBeUndefined();
    await tokenOf(clientId);
    const left = await database()
      .store.db.selectFrom('token')
      .select('digest')
      .where('client_id', '=', clientId)
      .execute();
    expect(left).toHaveLength(1);
  });
});

async function openAttempt() {
  const accepted = { project, bucket, kind: 'bake', variables: {}, by: ann } as const;
  const { request } = await registry.requests.accept(accepted);
  const { id: versionId } = await registry.bakes.openVersion(request.id, 1);
  const attemptId = ulid();
  await registry.bakes.openAttempt({ attemptId, versionId, hostId: 'host', timeLimitMs: 60_000 });
  return { attemptId, deadline: (await registry.bakes.getAttempt(attemptId)).deadline };
}
const makeFor = (attemptId: string) =>
  registry.principals.create({
    id: ulid(),
    project,
    name: fresh(),
    secret: secret(),
    attemptId,
    by: ann,
    ...none,
  });

describe('a principal of a bake attempt', () => {
  it('is made while the attempt is current only, with a secret that ends soon after its deadline', async () => {
    const { attemptId, deadline } = await openAttempt();
    const { secrets } = await makeFor(attemptId);

    expect(Date.parse(secrets[0]?.endsAt ?? '') - Date.parse(deadline)).toBe(600_000);
    await registry.bakes.closeAttempt(attemptId, 'lost');
    expect(await refusal('illegal_state', makeFor(attemptId))).toContain('is lost');
    expect(await refusal('illegal_state', makeFor(ulid()))).toContain('does not exist');
  });

  it('is not made beside a change that closes the attempt', async () => {
    const { attemptId } = await openAttempt();
    const client = await database().connect();
    await client.query('begin');
    await client.query("update bake_attempt set state = 'lost', closed_at = now() where id = $1", [
      attemptId,
    ]);
    const made = makeFor(attemptId);
    const waiting = async () => (await client.query('select from pg_locks where not granted')).rowCount;
    await expect.poll(waiting).toBe(1);
    await client.query('commit');

    expect(await refusal('illegal_state', made)).toContain('is lost');
  });
});
