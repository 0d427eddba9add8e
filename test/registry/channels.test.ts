import { beforeAll, describe, expect, test } from 'vitest';
import { workflowIds } from '../../src/domain/workflow-ids.ts';
import { useDatabase } from '../support/database.ts';
import { expectInvariants } from './support/invariants.ts';
import { deliveriesOf, eventsOf } from './support/trail.ts';
import { ann, artifactsOf, bob, createWorld, home, project, refusal, type World } from './support/world.ts';

const database = useDatabase();
let world: World;
beforeAll(() => {
  world = createWorld(database());
});

const assign = (bucket: string, channel: string, versionId: string | null, expected?: string | null) =>
  world.registry.channels.assign({
    project,
    bucket,
    channel,
    versionId,
    by: ann,
    ...(expected === undefined ? {} : { expected }),
  });
const rollBack = (bucket: string, more: { to?: string; reason?: string } = {}) =>
  world.registry.channels.rollBack({
    project,
    bucket,
    channel: 'prod',
    reason: 'it is slow',
    by: ann,
    ...more,
  });

const request = (
  bucket: string,
  versionId: string,
  more: { promotionId?: string; requestId?: string; heldBy?: string } = {},
) =>
  world.registry.promotions.request({
    project,
    bucket,
    channel: 'prod',
    versionId,
    reason: 'new',
    by: ann,
    ...more,
  });

describe('assign', () => {
  test('moves the channel, writes history, wakes the places; again it changes nothing', async () => {
    const bucket = await world.line();
    const version = await world.bake(bucket);
    const channel = await assign(bucket, 'dev', version.id, null);
    expect(channel.effective).toMatchObject({ versionId: version.id, versionName: 'v1', derived: false });
    await assign(bucket, 'dev', version.id, null);
    const history = await world.registry.channels.history(project, bucket, 'dev');
    expect(history).toEqual([expect.objectContaining({ sequence: 1, cause: 'assigned', by: ann })]);
    const [event] = await eventsOf(database().store, version.id, 'channel.assigned');
    expect(await deliveriesOf(database().store, event?.id ?? '')).toEqual([
      { action: 'wake', workflowId: workflowIds.rollBackChannels(project, channel.id) },
    ]);
  });

  test('refuses another expectation, a gated channel, latest, what is not complete, revoked or of another bucket', async () => {
    const bucket = await world.line({ channels: { dev: {}, prod: { approvals: 1 } } });
    const v1 = await world.bake(bucket);
    const v2 = await world.bake(bucket);
    const running = await world.open(bucket);
    const { version: foreign } = await world.lineWithVersion();
    const { effective } = await assign(bucket, 'dev', v1.id);
    await refusal('conflict', assign(bucket, 'dev', v2.id, null));
    await assign(bucket, 'dev', v2.id, effective.assignmentId);
    expect(await refusal('conflict', assign(bucket, 'dev', v1.id, effective.assignmentId))).toContain(
      'on v2 now',
    );
    expect(await refusal('illegal_state', assign(bucket, 'prod', v1.id))).toContain(
      `bakehouse promote ${bucket} v1 prod`,
    );
    expect(await refusal('illegal_state', assign(bucket, 'latest', v1.id))).toContain(
      "Cannot assign to managed channel 'latest'",
    );
    expect(await refusal('illegal_state', assign(bucket, 'dev', running.id))).toContain('is running');
    expect(await refusal('invalid_input', assign(bucket, 'dev', foreign.id))).toContain(foreign.bucket);
    expect(await refusal('not_found', assign(bucket, 'stage', v1.id))).toContain('dev, prod, latest');
    await world.revoke(v1);
    expect(await refusal('illegal_state', assign(bucket, 'dev', v1.id))).toContain('restore it first');
    expect((await assign(bucket, 'prod', null)).effective.versionId).toBeNull();
  });
});

describe('roll back by hand', () => {
  test('goes to the newest usable version before, and nothing goes back to what was left', async () => {
    const { bucket, version: v1 } = await world.lineWithVersion();
    const v2 = await world.bake(bucket);
    const v3 = await world.bake(bucket);
    await world.assign(v2, 'prod');
    await world.assign(v3, 'prod');
    expect((await rollBack(bucket)).effective.versionName).toBe('v2');
    expect((await rollBack(bucket)).effective.versionName).toBe('v2');
    await world.assign(v1, 'prod');
    await world.revoke(v1);
    expect(await world.effective(bucket, 'prod')).toBe('v2');
    await world.revoke(v2);
    expect(await world.effective(bucket, 'prod')).toBeNull();
    expect((await rollBack(bucket, { to: 'v3', reason: 'better than nothing' })).effective.versionName).toBe(
      'v3',
    );
    await expectInvariants(database().store);
  });

  test('passes by what is known to be gone; a name must have been there and be usable', async () => {
    const { bucket } = await world.lineWithVersion();
    const v2 = await world.bake(bucket);
    const v3 = await world.bake(bucket);
    const v4 = await world.bake(bucket);
    await world.assign(v2, 'prod');
    await world.assign(v3, 'prod');
    await world.registry.enforcement.record({
      receiptId: `missing-${v2.id}`,
      versionId: v2.id,
      artifactId: artifactsOf(v2)[0]?.id ?? '',
      target: home,
      action: 'verify',
      outcome: 'failed',
      launchable: false,
      detail: 'not there',
      lastKnown: 'missing',
    });
    expect(await refusal('invalid_input', rollBack(bucket, { to: v4.id }))).toContain(
      'name one of v3, v2, v1',
    );
    expect((await rollBack(bucket)).effective.versionName).toBe('v1');
    expect((await rollBack(bucket, { reason: 'v1 too' })).effective.versionName).toBeNull();
    expect(await refusal('illegal_state', rollBack(bucket, { reason: 'more' }))).toContain('nothing usable');
  });
});

describe('promotions', () => {
  test('through every gate, in the order in which they open', async () => {
    const bucket = await world.line({
      channels: {
        dev: {},
        prod: { tested: true, verified: true, inOrder: true, approvals: 2, approvalDeadlineMs: 60_000 },
      },
    });
    const version = await world.bake(bucket);
    const registry = world.registry;
    const early = await request(bucket, version.id);
    const verdict = await registry.promotions.gates(early.id);
    expect(verdict).toMatchObject({ verdict: 'refuse', reasons: [expect.stringContaining('never on dev')] });
    await refusal('illegal_state', registry.promotions.beginPublishing(early.id));
    await world.assign(version, 'dev');
    expect(await registry.promotions.gates(early.id)).toMatchObject({
      verdict: 'wait',
      waitingFor: ['the test launch of v1', 'v1 to be verified in every target', '2 approvals'],
    });
    await world.prove(version);
    await registry.promotions.approve(early.id, ann);
    await registry.promotions.approve(early.id, ann);
    expect(await registry.promotions.gates(early.id)).toMatchObject({
      verdict: 'wait',
      waitingFor: ['1 approval'],
    });
    await refusal(
      'permission_denied',
      registry.promotions.approve(early.id, { name: 'operator', via: 'temporal' }),
    );
    await registry.promotions.approve(early.id, bob);
    expect(await registry.promotions.gates(early.id)).toEqual({ verdict: 'ready' });
    await refusal('illegal_state', registry.promotions.complete(early.id));
    expect((await registry.promotions.beginPublishing(early.id)).state).toBe('publishing');
    expect((await registry.promotions.beginPublishing(early.id)).state).toBe('publishing');
    expect(await registry.pointers.wanted(early.channelId, home)).toMatchObject({
      versionId: version.id,
      because: 'promotion',
    });
    expect(await world.effective(bucket, 'prod')).toBeNull();
    const done = await registry.promotions.complete(early.id);
    expect(done).toMatchObject({ state: 'done', approvals: [{ by: 'ann' }, { by: 'bob' }] });
    expect(await registry.promotions.complete(early.id)).toEqual(done);
    expect(await registry.pointers.wanted(early.channelId, home)).toMatchObject({
      versionId: version.id,
      because: 'assignment',
    });
    const history = await registry.channels.history(project, bucket, 'prod');
    expect(history).toEqual([expect.objectContaining({ cause: 'promoted', versionId: version.id })]);
  });

  test('a newer one supersedes those that wait; a late approval of the old one changes nothing', async () => {
    const bucket = await world.line({ channels: { dev: {}, prod: { approvals: 1 } } });
    const [v1, v2] = [await world.bake(bucket), await world.bake(bucket)];
    const old = await request(bucket, v1.id);
    const held = await request(bucket, v2.id, { promotionId: 'mine', heldBy: 'a-workflow' });
    expect(await request(bucket, v2.id, { promotionId: 'mine', heldBy: 'a-workflow' })).toEqual(held);
    expect(await world.registry.promotions.get(old.id)).toMatchObject({
      state: 'superseded',
      endedAt: expect.any(String) as unknown,
    });
    await refusal('superseded', world.registry.promotions.approve(old.id, bob));
    await refusal('superseded', world.registry.promotions.beginPublishing(old.id));
    expect(await world.registry.promotions.gates(old.id)).toMatchObject({ verdict: 'refuse' });
    const [asked] = await eventsOf(database().store, v2.id, 'promotion.requested');
    expect(await deliveriesOf(database().store, asked?.id ?? '')).toEqual([]);
    const [ended] = await eventsOf(database().store, v1.id, 'promotion.ended');
    expect(await deliveriesOf(database().store, ended?.id ?? '')).toEqual([
      { action: 'wake', workflowId: workflowIds.promote(project, old.id) },
    ]);
    const rejected = await world.registry.promotions.reject(held.id, 'not today', bob);
    expect(rejected).toMatchObject({ state: 'rejected', detail: 'rejected by bob: not today' });
    await refusal('illegal_state', world.registry.promotions.approve(held.id, bob));
  });

  test('an older release that waited does not move the channel back; a person may', async () => {
    const bucket = await world.line();
    const [v1, v2] = [await world.bake(bucket), await world.bake(bucket)];
    await world.assign(v2, 'prod');
    const late = await request(bucket, v1.id, { requestId: v1.requestId ?? '' });
    expect(late).toMatchObject({
      state: 'superseded',
      detail: 'superseded: the newer v2 is on prod already',
    });
    const byHand = await request(bucket, v1.id);
    await world.registry.promotions.beginPublishing(byHand.id);
    await world.registry.promotions.complete(byHand.id);
    expect(await world.effective(bucket, 'prod')).toBe('v1');
    const newer = await request(bucket, v2.id, { requestId: v2.requestId ?? '' });
    expect(newer.state).toBe('waiting');
    expect((await request(bucket, v1.id, { requestId: v1.requestId ?? '' })).detail).toContain(
      'v2 is being promoted',
    );
    expect((await world.registry.promotions.get(newer.id)).state).toBe('waiting');
  });

  test('a channel changed by a person lets it fail; one moved by a revocation does not', async () => {
    const { bucket, version: v1 } = await world.lineWithVersion();
    const [v2, v3] = [await world.bake(bucket), await world.bake(bucket)];
    await world.assign(v2, 'prod');
    const first = await request(bucket, v3.id);
    await rollBack(bucket);
    expect(await world.registry.promotions.gates(first.id)).toMatchObject({
      verdict: 'refuse',
      reasons: ['channel prod was changed meanwhile: it is on v1 now'],
    });
    await refusal('conflict', world.registry.promotions.beginPublishing(first.id));
    expect((await world.registry.promotions.end(first.id, 'refused', 'changed')).state).toBe('refused');
    expect((await world.registry.promotions.end(first.id, 'failed', 'again')).state).toBe('refused');

    const second = await request(bucket, v3.id);
    await world.revoke(v1);
    expect(await world.registry.promotions.gates(second.id)).toEqual({ verdict: 'ready' });
    await world.registry.promotions.beginPublishing(second.id);
    await world.registry.promotions.complete(second.id);
    expect(await world.effective(bucket, 'prod')).toBe('v3');
  });

  test('a version revoked while it publishes is not assigned; the places go back to the present assignment', async () => {
    const { bucket, version: v1 } = await world.lineWithVersion();
    const v2 = await world.bake(bucket);
    const { id, channelId } = await request(bucket, v2.id);
    await world.registry.promotions.beginPublishing(id);
    await world.revoke(v2);
    expect(await refusal('illegal_state', world.registry.promotions.complete(id))).toContain(
      'is revoked since',
    );
    await world.registry.promotions.end(id, 'failed', 'revoked meanwhile');
    expect(await world.registry.pointers.wanted(channelId, home)).toMatchObject({
      versionId: v1.id,
      because: 'assignment',
    });
    expect(
      (await world.registry.promotions.list(project, { bucket, state: 'failed' })).map((one) => one.id),
    ).toEqual([id]);
  });

  test('soak is counted on the channel before', async () => {
    const bucket = await world.line({ channels: { dev: {}, prod: { soakMs: 2_000 } } });
    const [v1, v2] = [await world.bake(bucket), await world.bake(bucket)];
    await world.assign(v1, 'dev');
    const { id } = await request(bucket, v1.id);
    const verdict = await world.registry.promotions.gates(id);
    expect(verdict.verdict).toBe('wait');
    if (verdict.verdict !== 'wait') return;
    expect(verdict.waitMs).toBeLessThanOrEqual(2_000);
    await new Promise((resolve) => setTimeout(resolve, verdict.waitMs + 2));
    expect(await world.registry.promotions.gates(id)).toEqual({ verdict: 'ready' });
    await world.assign(v2, 'dev');
    expect(await world.registry.promotions.gates(id)).toEqual({ verdict: 'ready' });
    const second = await request(bucket, v2.id);
    await world.assign(v1, 'dev');
    expect(await world.registry.promotions.gates(second.id)).toMatchObject({
      verdict: 'refuse',
      reasons: [expect.stringContaining('left dev')],
    });
  });
});
