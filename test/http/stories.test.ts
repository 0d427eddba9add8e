import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operations } from '../../src/http/api/router.ts';
import { openGates } from '../../src/domain/image-line.ts';
import type { ImageLine } from '../../src/domain/image-line.ts';
import { templateDigest } from '../../src/domain/template-digest.ts';
import { project } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import { commit, startApi, tokens } from './support/api.ts';
import type { Api } from './support/api.ts';

const database = useDatabase();
let api: Api;

beforeAll(() => {
  api = startApi(database());
});
afterAll(() => api.app.close());

const files = { 'main.pkr.hcl': new TextEncoder().encode('source "file" "one" {}') };
const encoded = { 'main.pkr.hcl': Buffer.from('source "file" "one" {}').toString('base64') };

const lineOf = (
  bucket: string,
  template: ImageLine['template'],
  over: Partial<ImageLine> = {},
): ImageLine => ({
  bucket,
  description: '',
  template,
  sources: [],
  variables: {},
  parents: [],
  targets: [{ provider: 'qemu', account: 'local', region: 'local', launch: { memoryMb: 256 } }],
  tests: [{ name: 'up', kind: 'command', command: 'true', timeoutMs: 1000 }],
  channels: [{ name: 'dev', gates: openGates }],
  timeLimitMs: 60_000,
  endOfLifeCascades: false,
  ...over,
});

const gitLine = (bucket: string): ImageLine =>
  lineOf(bucket, { kind: 'git', repository: 'https://git.example/x', ref: 'main', entry: '.' });

describe('image lines', () => {
  it('are planned, applied once their template is there, and listed', async () => {
    const digest = await templateDigest(files);
    const line = lineOf('planned', { kind: 'folder', path: 't', entry: 'main.pkr.hcl', digest });

    expect((await api.call('hasTemplate', { project, digest })).body).toEqual({ present: false });
    const early = await api.call('planLines', { project, lines: [line] });
    expect(early.status).toBe(400);
    expect(early.message).toContain(digest);

    expect((await api.call('putTemplate', { project, digest, files: encoded })).body).toEqual({ digest });
    expect((await api.call('hasTemplate', { project, digest })).body).toEqual({ present: true });
    const planned = await api.call('planLines', { project, lines: [line] }, tokens.viewer);
    expect(planned.body).toMatchObject({ changes: [{ bucket: 'planned', action: 'create' }] });
    expect((await api.call('getBucket', { project, bucket: 'planned' })).code).toBe(5);

    const applied = await api.call('applyLines', { project, lines: [line] });
    expect(applied.body).toMatchObject({ changes: [{ bucket: 'planned', action: 'create' }] });
    const again = await api.call('applyLines', { project, lines: [line] });
    expect(again.body).toMatchObject({ changes: [{ bucket: 'planned', action: 'none', differences: [] }] });
    expect((await api.call('getBucket', { project, bucket: 'planned' })).body).toMatchObject({ line });
    expect((await api.call('listBuckets', { project })).body).toMatchObject({
      buckets: [{ bucket: 'planned' }],
    });
    expect((await api.call('listChannels', { project, bucket: 'planned' })).body).toMatchObject({
      channels: expect.arrayContaining([expect.objectContaining({ name: 'dev' })]),
    });
  });

  it.each([
    ['another digest', { 'main.pkr.hcl': 'AAAA' }, 'the content has digest sha256:'],
    ['a way out of its folder', { '../main.pkr.hcl': 'AAAA' }, 'is not a path inside'],
    ['an absolute path', { '/etc/passwd': 'AAAA' }, 'is not a path inside'],
    ['no files', {}, 'holds no files'],
    ['text that is not base64', { a: '!' }, 'base64'],
  ])('refuse a template with %s', async (_, content, message) => {
    const answer = await api.call('putTemplate', {
      project,
      digest: `sha256:${'0'.repeat(64)}`,
      files: content,
    });

    expect(answer).toMatchObject({ status: 400, code: 3 });
    expect(answer.message).toContain(message);
  });
});

describe('requests', () => {
  it('are one for one key, are shown with their logs, and are cancelled', async () => {
    const bucket = await api.world.line();
    const ask = { project, bucket, kind: 'bake', key: `night-${ulid()}`, variables: { a: '1' } } as const;
    const first = await api.ok('acceptRequest', ask);
    const second = await api.call('acceptRequest', ask);

    expect(first).toMatchObject({
      outcome: 'new',
      request: { state: 'open', attempt: 1, by: { name: 'admin' } },
    });
    expect(second.body).toMatchObject({ outcome: 'existing' });
    const { request: accepted } = first;
    const named = { project, request: accepted.id };
    expect((await api.call('getRequest', named)).body).toMatchObject({
      id: accepted.id,
      kind: 'bake',
      bucket,
    });
    expect((await api.call('listRequests', { project, bucket, state: 'open' })).body).toMatchObject({
      requests: [{ id: accepted.id }],
    });

    const version = await api.world.registry.bakes.openVersion(accepted.id, 1);
    const attemptId = ulid();
    await api.world.registry.bakes.openAttempt({
      attemptId,
      versionId: version.id,
      hostId: 'h',
      timeLimitMs: 1000,
    });
    await api.world.registry.logs.append(attemptId, 0, 'äöü one\ntwo\n');
    const { body } = await api.call('listLogs', named);
    expect(body).toMatchObject({ streams: [{ stream: attemptId, kind: 'packer' }] });
    const start = await api.call('readLog', { ...named, stream: attemptId, limit: 11 });
    expect(start.body).toEqual({ text: 'äöü one\n', next: 11 });
    const rest = await api.call('readLog', { ...named, stream: attemptId, after: 11 });
    expect(rest.body).toEqual({ text: 'two\n', next: 15 });
    const end = await api.call('readLog', { ...named, stream: attemptId, after: 15 });
    expect(end.body).toEqual({ text: '', next: 15 });

    const other = await api.world.line();
    const foreign = await api.ok('acceptRequest', { project, bucket: other, kind: 'bake' });
    const stranger = foreign.request.id;
    const reached = await api.call('readLog', { project, request: stranger, stream: attemptId });
    expect(reached).toMatchObject({ status: 404, code: 5 });

    expect((await api.call('cancelRequest', named)).body).toMatchObject({ cancelWanted: true });
  });

  it('pin the commit that the ref means', async () => {
    await api.call('applyLines', { project, lines: [gitLine('from-git')] });
    const ask = { project, bucket: 'from-git', kind: 'bake' } as const;
    const { request } = await api.ok('acceptRequest', { ...ask, ref: 'v1' });
    const pins = await api.world.registry.requests.pins(request.id);

    expect(pins.template).toMatchObject({ kind: 'git', commit });
    const gone = await api.call('acceptRequest', { ...ask, ref: 'gone' });
    expect(gone).toMatchObject({
      status: 404,
      code: 5,
      message: 'https://git.example/x has no branch or tag gone',
    });
  });

  it('refuse a ref where the template was uploaded, and what does not exist', async () => {
    const bucket = await api.world.line();

    const ref = await api.call('acceptRequest', { project, bucket, kind: 'bake', ref: 'main' });
    expect(ref).toMatchObject({ status: 400, code: 3 });
    expect((await api.call('acceptRequest', { project, bucket: 'none', kind: 'bake' })).code).toBe(5);
    expect((await api.call('getRequest', { project, request: ulid() })).code).toBe(5);
    expect((await api.call('cancelRequest', { project, request: ulid() })).code).toBe(5);
    expect((await api.call('listLogs', { project, request: ulid() })).code).toBe(5);
  });
});

describe('versions and channels', () => {
  it('are read by every name, resolved, assigned, rolled back', async () => {
    const { bucket, version } = await api.world.lineWithVersion();
    const second = await api.world.bake(bucket);
    const named = { project, bucket };

    for (const name of ['v1', '1', version.fingerprint, version.id]) {
      expect((await api.call('getVersion', { ...named, version: name })).body).toMatchObject({
        id: version.id,
      });
    }
    expect((await api.call('listVersions', { ...named, limit: 1 })).body).toMatchObject({
      versions: [{ id: second.id }],
    });
    expect((await api.call('listVersions', { ...named, before: second.id })).body).toMatchObject({
      versions: [{ id: version.id }],
    });

    const resolved = await api.call('resolveChannel', { ...named, channel: 'prod' }, tokens.viewer);
    expect(resolved.body).toMatchObject({
      versionName: 'v1',
      images: [{ provider: 'qemu', region: 'here' }],
    });
    const elsewhere = await api.call('resolveChannel', { ...named, channel: 'prod', region: 'mars' });
    expect(elsewhere).toMatchObject({ status: 404, code: 5 });
    expect(elsewhere.message).toContain('has no image in */*/mars; it is in qemu/local/here');

    const { effective } = await api.ok('getChannel', { ...named, channel: 'prod' });
    const assign = { ...named, channel: 'prod', version: 'v2' };
    expect(await api.call('assignChannel', { ...assign, expected: ulid() })).toMatchObject({
      status: 409,
      code: 10,
    });
    const assigned = await api.call('assignChannel', { ...assign, expected: effective.assignmentId });
    expect(assigned.body).toMatchObject({ effective: { versionName: 'v2' } });
    const back = await api.call('rollBackChannel', { ...named, channel: 'prod', reason: 'broken' });
    expect(back.body).toMatchObject({ effective: { versionName: 'v1' } });
    expect((await api.call('getChannelHistory', { ...named, channel: 'prod' })).body).toMatchObject({
      history: [{ cause: 'rolled_back', versionName: 'v1' }, { versionName: 'v2' }, { versionName: 'v1' }],
    });

    const emptied = await api.call('assignChannel', { ...named, channel: 'prod', version: null });
    expect(emptied.body).toMatchObject({ effective: { versionId: null } });
    expect(await api.call('resolveChannel', { ...named, channel: 'prod' })).toMatchObject({
      status: 400,
      code: 9,
    });
  });

  it('tell descendants', async () => {
    const parent = await api.world.lineWithVersion();
    const child = await api.world.lineWithVersion({ parents: [parent.bucket] });

    const { body } = await api.call('listDescendants', { project, bucket: parent.bucket, version: 'v1' });
    expect(body).toEqual({
      descendants: [{ versionId: child.version.id, bucket: child.bucket, versionName: 'v1', depth: 1 }],
    });
  });

  it.each([
    ['GET', '/versions/v9'],
    ['GET', '/versions/v9/descendants'],
    ['GET', '/channels/none'],
    ['GET', '/channels/none/history'],
    ['GET', '/channels/none/resolve'],
    ['POST', '/versions/v9/revocations'],
    ['POST', '/versions/v9/restore'],
    ['POST', '/channels/none/rollback'],
  ] as const)('%s %s of what does not exist is 404/5', async (method, rest) => {
    const { bucket } = await api.world.lineWithVersion();

    const answer = await api.raw(method, `/api/v1/projects/${project}/buckets/${bucket}${rest}`, {
      reason: 'x',
    });
    expect(answer).toMatchObject({ status: 404, code: 5, reason: 'not_found' });
  });
});

describe('promotions', () => {
  it('wait for approval, are approved once per person, or rejected; of another project they are not there', async () => {
    const bucket = await api.world.line({
      channels: { dev: {}, prod: { approvals: 1, approvalDeadlineMs: 60_000 } },
    });
    await api.world.bake(bucket);
    const direct = await api.call('assignChannel', { project, bucket, channel: 'prod', version: 'v1' });
    expect(direct).toMatchObject({ status: 400, code: 9, reason: 'illegal_state' });

    const { id } = await api.ok('requestPromotion', {
      project,
      bucket,
      channel: 'prod',
      version: 'v1',
      reason: 'go',
    });
    const named = { project, promotion: id };
    expect((await api.call('getPromotionGates', named)).body).toMatchObject({ verdict: 'wait' });
    expect((await api.call('listPromotions', { project, bucket })).body).toMatchObject({
      promotions: [{ id }],
    });
    expect((await api.call('approvePromotion', named, tokens.contributor)).body).toMatchObject({
      approvals: [{ by: 'contributor' }],
    });
    expect((await api.call('approvePromotion', named, tokens.contributor)).body).toMatchObject({
      approvals: [{ by: 'contributor' }],
    });
    expect((await api.call('getPromotion', named)).body).toMatchObject({ state: 'waiting', reason: 'go' });
    expect((await api.call('rejectPromotion', { ...named, reason: 'freeze' })).body).toMatchObject({
      state: 'rejected',
    });
    expect((await api.call('getPromotion', { project, promotion: ulid() })).code).toBe(5);
  });
});

describe('revocations', () => {
  it('are written, moved, lifted; their version is restored or exempted', async () => {
    const { bucket } = await api.world.lineWithVersion();
    const named = { project, bucket, version: 'v1' };
    const future = new Date(Date.now() + 3_600_000).toISOString();
    const later = new Date(Date.now() + 7_200_000).toISOString();

    const { record, version } = await api.ok('revokeVersion', { ...named, reason: 'old', at: future });
    expect({ record, version }).toMatchObject({
      record: { dueAt: future, rollBack: true },
      version: { revocation: { state: 'scheduled' } },
    });
    expect((await api.call('listRevocations', named)).body).toMatchObject({ records: [{ id: record.id }] });
    const moved = await api.call('rescheduleRevocation', { ...named, revocation: record.id, at: later });
    expect(moved.body).toMatchObject({ dueAt: later });
    const lifted = await api.call('liftRevocation', { ...named, revocation: record.id, reason: 'mistake' });
    expect(lifted.body).toMatchObject({ liftedAt: expect.any(String) });

    await api.call('revokeVersion', { ...named, reason: 'a hole' });
    const refused = await api.call('resolveChannel', { project, bucket, channel: 'prod' });
    expect(refused.status).not.toBe(200);
    const exempt = await api.call('exemptVersion', { ...named, endsAt: future, reason: 'one more hour' });
    expect(exempt.body).toMatchObject({ endsAt: future, descendants: false });
    const restored = await api.call('restoreVersion', { ...named, reason: 'false alarm' });
    expect(restored.body).toMatchObject({ revocation: { state: 'none' } });
  });

  it.each([
    ['both dates', { at: '2099-01-01T00:00:00Z', inMs: 5 }, 3, 'not both'],
    ['a date without offset', { at: '2099-01-01T00:00:00' }, 3, 'time zone'],
    ['a date in the past', { at: '2001-01-01T00:00:00Z' }, 3, '2001'],
  ])('refuse %s', async (_, date, code, message) => {
    const { bucket } = await api.world.lineWithVersion();

    const answer = await api.call('revokeVersion', { project, bucket, version: 'v1', reason: 'x', ...date });
    expect(answer).toMatchObject({ status: 400, code });
    expect(answer.message).toContain(message);
  });

  it('refuse a record under another version than its own', async () => {
    const one = await api.world.lineWithVersion();
    const two = await api.world.lineWithVersion();
    const { record } = await api.ok('revokeVersion', {
      project,
      bucket: one.bucket,
      version: 'v1',
      reason: 'x',
      inMs: 60_000,
    });

    const answer = await api.call('liftRevocation', {
      project,
      bucket: two.bucket,
      version: 'v1',
      revocation: record.id,
      reason: 'x',
    });
    expect(answer).toMatchObject({ status: 404, code: 5 });
  });

  it('are refused for a child that only inherited one, naming the parent', async () => {
    const parent = await api.world.lineWithVersion();
    const child = await api.world.lineWithVersion({ parents: [parent.bucket] });
    await api.call('revokeVersion', { project, bucket: parent.bucket, version: 'v1', reason: 'a hole' });

    const answer = await api.call('restoreVersion', {
      project,
      bucket: child.bucket,
      version: 'v1',
      reason: 'please',
    });
    expect(answer).toMatchObject({ status: 400, code: 9, reason: 'illegal_state' });
  });
});

describe('what is kept', () => {
  it('is read as events, receipts, hosts and the outbox', async () => {
    const { bucket, version } = await api.world.lineWithVersion();
    await api.world.prove(version);
    await api.world.registry.hosts.beat({ id: ulid(), name: 'oven', builders: ['file'], slots: 2 });

    const page = await api.ok('listEvents', { project, bucket, limit: 2 });
    expect(page.events.map((one) => one.kind)).toEqual(['line.applied', 'request.accepted']);
    const next = await api.ok('listEvents', {
      project,
      bucket,
      version: 'v1',
      after: page.events[1]?.sequence ?? 0,
    });
    expect(next.events[0]?.kind).toBe('version.opened');
    expect(await api.call('listEvents', { project, version: 'v1' })).toMatchObject({ status: 400, code: 3 });
    expect((await api.call('listReceipts', { project, bucket, version: 'v1' })).body).toMatchObject({
      receipts: [{ action: 'verify', outcome: 'done' }],
    });
    expect((await api.call('listHosts', {})).body).toMatchObject({ hosts: [{ name: 'oven' }] });
    expect((await api.call('getOutbox', {})).body).toMatchObject({ count: expect.any(Number) });
  });
});

describe('who calls', () => {
  it('is made with its roles, listed without its secret, rotated and revoked', async () => {
    const { bucket } = await api.world.lineWithVersion();
    const name = 'story-ci';

    const made = await api.ok('createPrincipal', { project, name, role: 'viewer' });
    expect(made.principal).toMatchObject({ name, project, role: 'viewer', buckets: [], revokedAt: null });
    const roles = { role: null, buckets: [{ bucket, role: 'contributor' as const }] };
    expect(await api.ok('setPrincipalRoles', { project, principal: name, ...roles })).toMatchObject(roles);
    const { principals } = await api.ok('listPrincipals', { project }, tokens.viewer);
    expect(principals.map((one) => one.name)).toContain(name);
    expect(JSON.stringify(principals)).not.toContain(made.clientSecret);
    const next = await api.ok('rotatePrincipal', { project, principal: name });
    expect(next.principal.secrets.map((one) => one.clientId)).toEqual([next.clientId, made.clientId]);
    const ended = await api.ok('revokePrincipal', { project, principal: name, reason: 'over' });
    expect(ended).toMatchObject({ secrets: [], revokedAt: expect.any(String) });
    expect((await api.ok('listPrincipals', { project })).principals).not.toContainEqual(
      expect.objectContaining({ name }),
    );
  });

  it('is in an organization, whose ids HCP clients are told', async () => {
    const made = await api.ok('createProject', { organization: 'acme', name: 'acme-web' });
    expect(await api.ok('createProject', { organization: 'acme', name: 'acme-web' })).toEqual(made);
    expect(await api.call('createProject', { organization: 'other', name: 'acme-web' })).toMatchObject({
      reason: 'already_exists',
    });
    const { organizations } = await api.ok('listOrganizations', {});
    expect(organizations.find((one) => one.name === 'acme')?.projects).toEqual([made]);

    const connection = await api.ok('getConnection', { project });
    expect(connection).toMatchObject({
      project: { name: project },
      organization: { name: 'default' },
      tls: null,
    });
  });
});

it('advisories are taken in', async () => {
  const advisories = [
    { id: 'GHSA-x', affected: [{ package: { ecosystem: 'npm', name: 'x' }, versions: ['1.0.0'] }] },
  ];
  const asked = { import: ulid(), file: 'osv.json', batch: 1, last: true, advisories };
  expect(await api.ok('importVulnerabilities', asked)).toMatchObject({ advisories: 1, file: 'osv.json' });
});

it('every operation was answered once at least, in the shape of its descriptor', () => {
  expect([...api.answered].toSorted()).toEqual([...operations].toSorted());
});
