import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { workflowIds } from '../../src/domain/workflow-ids.ts';
import { useDatabase } from '../support/database.ts';
import { ann, artifactsOf, bob, createWorld, project, refusal, type World } from './support/world.ts';
import { deliveriesOf, eventsOf } from './support/trail.ts';

const database = useDatabase();
let world: World;
beforeAll(() => {
  world = createWorld(database());
});

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

describe('revoke now', () => {
  test('is in effect when it returns: status, channels, events, deliveries', async () => {
    const { bucket, version: v1 } = await world.lineWithVersion();
    const v2 = await world.bake(bucket);
    await world.assign(v2, 'dev', 'prod');
    const recordId = await world.revoke(v2);

    const { revocation } = await world.registry.versions.get(v2.id);
    expect(revocation).toMatchObject({ state: 'revoked', reason: 'a hole', recordId, inheritedFrom: null });
    for (const channel of ['dev', 'prod', 'latest']) {
      expect(await world.effective(bucket, channel)).toBe('v1');
      const [newest] = await world.registry.channels.history(project, bucket, channel);
      expect(newest).toMatchObject({ versionId: v1.id, cause: 'revocation', by: ann });
    }
    const events = await eventsOf(database().store, v2.id, 'revocation.effective');
    expect(events).toEqual([
      expect.objectContaining({
        subjectId: recordId,
        by: ann,
        data: expect.objectContaining({ root: true, cascade: recordId, change: 'effective' }) as unknown,
      }),
    ]);
    expect(await deliveriesOf(database().store, events[0]?.id ?? '')).toEqual([
      { action: 'start', workflowId: workflowIds.cascade(project, recordId, 'effective') },
      { action: 'wake', workflowId: workflowIds.rollBackChannels(project, v2.id) },
    ]);
    expect(await eventsOf(database().store, v2.id, 'revocation.scheduled')).toEqual([]);
  });

  test('without roll back the channel keeps it, and resolve refuses and names it', async () => {
    const { bucket } = await world.lineWithVersion();
    const v2 = await world.bake(bucket);
    await world.assign(v2, 'prod');
    await world.revoke(v2, { rollBack: false });
    expect(await world.effective(bucket, 'prod')).toBe('v2');
    expect(await refusal('illegal_state', world.registry.versions.resolve(project, bucket, 'prod'))).toMatch(
      /v2.*revoked.*a hole/s,
    );
  });

  test('none left: unassigned, and a restore puts nothing back', async () => {
    const { bucket, version } = await world.lineWithVersion();
    await world.revoke(version);
    expect(await world.effective(bucket, 'prod')).toBeNull();
    await refusal('illegal_state', world.registry.versions.resolve(project, bucket, 'prod'));
    const restored = await world.registry.revocations.restore(version.id, 'a mistake', ann);
    expect(restored.revocation.state).toBe('none');
    expect(await world.effective(bucket, 'prod')).toBeNull();
    await world.assign(version, 'prod');
    expect(await world.effective(bucket, 'prod')).toBe('v1');
  });

  test('the same record id twice is one revocation', async () => {
    const { version } = await world.lineWithVersion();
    const recordId = await world.revoke(version);
    expect(await world.revoke(version, { recordId })).toBe(recordId);
    expect(await world.registry.revocations.records(version.id)).toHaveLength(1);
    const { version: other } = await world.lineWithVersion();
    await refusal('already_exists', world.revoke(other, { recordId }));
  });

  test('only complete versions, only dates to come, one of date and duration', async () => {
    const { bucket, version } = await world.lineWithVersion();
    const running = await world.open(bucket);
    expect(await refusal('illegal_state', world.revoke(running))).toContain('is running');
    expect(await refusal('invalid_input', world.revoke(version, { at: '2020-01-01T00:00:00Z' }))).toContain(
      'in the past',
    );
    await refusal('invalid_input', world.revoke(version, { at: '2030-01-01T00:00:00' }));
    await refusal('invalid_input', world.revoke(version, { inMs: -1 }));
    await refusal('invalid_input', world.revoke(version, { inMs: Number.MAX_SAFE_INTEGER }));
    await refusal('invalid_input', world.revoke(version, { inMs: 5, at: inAnHour() }));
    expect(await world.registry.revocations.records(version.id)).toEqual([]);
  });
});

describe('a date', () => {
  test('before it nothing changes; at it readers follow before anybody writes; then it is written once', async () => {
    const { bucket } = await world.lineWithVersion();
    const v2 = await world.bake(bucket);
    await world.assign(v2, 'prod');
    const recordId = await world.revoke(v2, { inMs: 2_000 });
    expect(await world.effective(bucket, 'prod')).toBe('v2');
    const [scheduled] = await eventsOf(database().store, v2.id, 'revocation.scheduled');
    expect(await deliveriesOf(database().store, scheduled?.id ?? '')).toEqual([
      { action: 'wake', workflowId: workflowIds.scheduleRevocation(project, v2.id) },
    ]);
    const early = await world.registry.revocations.materialiseDue(v2.id);
    expect(early.materialised).toBe(0);
    expect(early.early).toBeGreaterThan(0);
    expect(early.early).toBeLessThanOrEqual(2_000);

    await sleep(early.early + 5);
    const channel = await world.registry.channels.get(project, bucket, 'prod');
    expect(channel.effective).toMatchObject({ versionName: 'v1', derived: true });
    expect((await world.registry.versions.resolve(project, bucket, 'prod')).versionName).toBe('v1');
    expect(await eventsOf(database().store, v2.id, 'revocation.effective')).toEqual([]);

    expect(await world.registry.revocations.materialiseDue(v2.id)).toEqual({ materialised: 1, early: 0 });
    expect(await world.registry.revocations.materialiseDue(v2.id)).toEqual({ materialised: 0, early: 0 });
    expect((await world.registry.channels.get(project, bucket, 'prod')).effective).toMatchObject({
      versionName: 'v1',
      derived: false,
    });
    const [effect, ...more] = await eventsOf(database().store, v2.id, 'revocation.effective');
    expect(effect?.subjectId).toBe(recordId);
    expect(more).toEqual([]);
  });

  test('any write on the bucket writes first what is due there', async () => {
    const { bucket } = await world.lineWithVersion();
    const v2 = await world.bake(bucket);
    await world.assign(v2, 'prod');
    await world.revoke(v2, { inMs: 20 });
    await sleep(30);
    await world.bake(bucket);
    const history = await world.registry.channels.history(project, bucket, 'prod');
    expect(history[0]).toMatchObject({ versionName: 'v1', cause: 'revocation' });
  });

  test('it moves with its inherited ones until it has taken effect', async () => {
    const { bucket, version } = await world.lineWithVersion();
    const child = await world.bake(await world.line({ parents: [bucket] }));
    const recordId = await world.revoke(version, { at: inAnHour() });
    const to = new Date(Date.now() + 7_200_000).toISOString();
    expect((await world.registry.revocations.reschedule(recordId, to, ann)).dueAt).toBe(to);
    await world.registry.revocations.reschedule(recordId, to, ann);
    expect((await world.registry.versions.get(child.id)).revocation).toMatchObject({
      state: 'scheduled',
      at: to,
    });
    expect(await eventsOf(database().store, version.id, 'revocation.rescheduled')).toHaveLength(1);
    expect((await world.registry.revocations.nextDue(version.id))?.dueAt).toBe(to);
    await refusal(
      'invalid_input',
      world.registry.revocations.reschedule(recordId, '2020-01-01T00:00:00Z', ann),
    );
    const [inherited] = await world.registry.revocations.records(child.id);
    expect(
      await refusal('illegal_state', world.registry.revocations.reschedule(inherited?.id ?? '', to, ann)),
    ).toContain('inherited');

    const now = await world.revoke(version);
    expect(await refusal('illegal_state', world.registry.revocations.reschedule(now, to, ann))).toContain(
      'took effect',
    );
    expect(
      await refusal('illegal_state', world.registry.revocations.reschedule(recordId, inAnHour(), ann)),
    ).toContain('was lifted');
  });

  test('a new explicit date replaces the open one, but never ends what is in effect', async () => {
    const { version } = await world.lineWithVersion();
    const first = await world.revoke(version, { at: inAnHour() });
    const second = await world.revoke(version, { inMs: 7_200_000 });
    const records = await world.registry.revocations.records(version.id);
    expect(records.map(({ id, liftedAt }) => [id, liftedAt === null])).toEqual([
      [first, false],
      [second, true],
    ]);
    await world.revoke(version);
    expect(await refusal('illegal_state', world.revoke(version, { at: inAnHour() }))).toContain(
      'Restore it first',
    );
    const third = await world.revoke(version, { descendants: false });
    expect((await world.registry.versions.get(version.id)).revocation).toMatchObject({
      state: 'revoked',
      recordId: third,
    });
  });
});

describe('descendants', () => {
  test('inherit to the last, and follow the root; --no-descendants leaves them', async () => {
    const { bucket: base, version: parent } = await world.lineWithVersion();
    const { bucket: middle, version: child } = await world.lineWithVersion({ parents: [base] });
    const { version: grandchild } = await world.lineWithVersion({ parents: [middle] });
    const alone = await world.revoke(parent, { descendants: false });
    expect((await world.registry.versions.get(child.id)).revocation.state).toBe('none');
    await world.registry.revocations.lift(alone, 'too narrow', ann);

    const recordId = await world.revoke(parent);
    for (const version of [child, grandchild]) {
      expect((await world.registry.versions.get(version.id)).revocation).toMatchObject({
        state: 'revoked',
        inheritedFrom: { versionId: parent.id, bucket: base, versionName: 'v1' },
      });
      expect(await world.effective(version.bucket, 'prod')).toBeNull();
    }
    expect(await world.registry.enforcement.cascadePlan(recordId)).toEqual([
      { versionId: parent.id, bucket: base, versionName: 'v1', depth: 0 },
      { versionId: child.id, bucket: middle, versionName: 'v1', depth: 1 },
      { versionId: grandchild.id, bucket: grandchild.bucket, versionName: 'v1', depth: 2 },
    ]);
    const message = await refusal(
      'illegal_state',
      world.registry.revocations.restore(grandchild.id, 'please', ann),
    );
    expect(message).toContain('Directly restoring this version does not apply');
    expect(message).toContain(`${base} v1`);
    await refusal(
      'illegal_state',
      world.registry.revocations.lift(
        (await world.registry.revocations.records(child.id)).at(-1)?.id ?? '',
        'please',
        ann,
      ),
    );

    await world.registry.revocations.restore(parent.id, 'fixed', ann);
    for (const version of [parent, child, grandchild]) {
      expect((await world.registry.versions.get(version.id)).revocation.state).toBe('none');
    }
    expect(await world.registry.enforcement.cascadePlan(recordId)).toHaveLength(3);
  });

  test('lifting one ancestor of a diamond leaves the other in force', async () => {
    const { bucket: left, version: a } = await world.lineWithVersion();
    const { bucket: right, version: b } = await world.lineWithVersion();
    const foot = await world.bake(await world.line({ parents: [left, right] }));
    await world.revoke(a);
    await world.revoke(b);
    await world.registry.revocations.restore(a.id, 'a is fine', ann);
    expect((await world.registry.versions.get(foot.id)).revocation).toMatchObject({
      state: 'revoked',
      inheritedFrom: { versionId: b.id },
    });
    await world.registry.revocations.restore(b.id, 'b too', ann);
    expect((await world.registry.versions.get(foot.id)).revocation.state).toBe('none');
  });

  test('a child recorded late inherits; what is due already is a root event of its own', async () => {
    const { bucket, version: parent } = await world.lineWithVersion();
    const line = await world.line({ parents: [bucket] });
    const scheduled = await world.open(line);
    const late = await world.open(line);
    await world.revoke(parent, { at: inAnHour() });
    expect((await world.complete(scheduled)).revocation.state).toBe('scheduled');

    const recordId = await world.revoke(parent);
    expect((await world.complete(late)).revocation).toMatchObject({
      state: 'revoked',
      inheritedFrom: { versionId: parent.id },
    });
    expect(await world.effective(line, 'latest')).toBeNull();
    const inherited = (await world.registry.revocations.records(late.id)).find(
      ({ rootId }) => rootId === recordId,
    );
    const [effect] = await eventsOf(database().store, late.id, 'revocation.effective');
    expect(effect?.data).toMatchObject({ root: true, cascade: inherited?.id });
    expect(await deliveriesOf(database().store, effect?.id ?? '')).toContainEqual({
      action: 'start',
      workflowId: workflowIds.cascade(project, inherited?.id ?? '', 'effective'),
    });
    expect(await world.registry.enforcement.cascadePlan(inherited?.id ?? '')).toEqual([
      { versionId: late.id, bucket: line, versionName: 'v2', depth: 0 },
    ]);
  });

  test('a policy date stays with its version unless the line says that it cascades', async () => {
    const { bucket: quiet, version: q } = await world.lineWithVersion({ endOfLifeMs: 60_000 });
    const { bucket: loud, version: l } = await world.lineWithVersion({
      endOfLifeMs: 60_000,
      endOfLifeCascades: true,
    });
    const child = await world.bake(await world.line({ parents: [quiet] }));
    const other = await world.bake(await world.line({ parents: [loud] }));
    expect(q.revocation).toMatchObject({ state: 'scheduled', reason: 'end of life after 1m' });
    expect(child.revocation.state).toBe('none');
    expect(other.revocation).toMatchObject({ state: 'scheduled', at: l.revocation.at });
    const [policy] = await world.registry.revocations.records(l.id);
    expect(
      await refusal(
        'illegal_state',
        world.registry.revocations.reschedule(policy?.id ?? '', inAnHour(), ann),
      ),
    ).toContain('end of life');
    await world.registry.revocations.restore(l.id, 'kept a while', ann);
    expect((await world.registry.versions.get(other.id)).revocation.state).toBe('none');
  });
});

describe('restore and lift', () => {
  test('after the effect: event, cascade of the lift, and not verified until proved again', async () => {
    const { version } = await world.lineWithVersion();
    await world.prove(version);
    expect((await world.registry.versions.get(version.id)).verified).toBe(true);
    const recordId = await world.revoke(version);
    await world.prove(version);
    const restored = await world.registry.revocations.restore(version.id, 'a mistake', ann);
    expect(restored).toMatchObject({ verified: false, revocation: { state: 'none' } });
    const [lifted] = await eventsOf(database().store, version.id, 'revocation.lifted');
    expect(await deliveriesOf(database().store, lifted?.id ?? '')).toEqual([
      { action: 'wake', workflowId: workflowIds.scheduleRevocation(project, version.id) },
      { action: 'start', workflowId: workflowIds.cascade(project, recordId, 'lifted') },
    ]);
    await world.prove(version);
    expect((await world.registry.versions.get(version.id)).verified).toBe(true);
  });

  test('before the effect nothing is enforced', async () => {
    const { version } = await world.lineWithVersion();
    const recordId = await world.revoke(version, { at: inAnHour() });
    const record = await world.registry.revocations.lift(recordId, 'no need', ann);
    expect(record.liftedAt).not.toBeNull();
    expect(await world.registry.revocations.lift(recordId, 'no need', ann)).toEqual(record);
    const [lifted, ...more] = await eventsOf(database().store, version.id, 'revocation.lifted');
    expect(more).toEqual([]);
    expect(await deliveriesOf(database().store, lifted?.id ?? '')).toEqual([
      { action: 'wake', workflowId: workflowIds.scheduleRevocation(project, version.id) },
    ]);
    expect(await world.registry.revocations.nextDue(version.id)).toBeUndefined();
  });

  test('a channel that kept the version (roll back off) resolves to it again and is published again', async () => {
    const { bucket, version } = await world.lineWithVersion();
    await world.revoke(version, { rollBack: false });
    await refusal('illegal_state', world.registry.versions.resolve(project, bucket, 'prod'));
    await world.registry.revocations.restore(version.id, 'fine', ann);
    expect((await world.registry.versions.resolve(project, bucket, 'prod')).versionName).toBe('v1');
    const [lifted] = await eventsOf(database().store, version.id, 'revocation.lifted');
    expect(await deliveriesOf(database().store, lifted?.id ?? '')).toContainEqual({
      action: 'wake',
      workflowId: workflowIds.rollBackChannels(project, version.id),
    });
  });

  test('what a revocation took from a channel counts again for a later roll back, once restored', async () => {
    const { bucket } = await world.lineWithVersion();
    const v2 = await world.bake(bucket);
    await world.assign(v2, 'prod');
    await world.revoke(v2);
    await world.registry.revocations.restore(v2.id, 'fine', ann);
    const v3 = await world.bake(bucket);
    await world.assign(v3, 'prod');
    await world.revoke(v3);
    expect(await world.effective(bucket, 'prod')).toBe('v1');
    const [v1] = await world.registry.versions
      .list(project, bucket)
      .then((all) => all.filter(({ name }) => name === 'v1'));
    if (v1 !== undefined) await world.revoke(v1);
    expect(await world.effective(bucket, 'prod')).toBe('v2');
  });

  test('repeated it answers the same; nothing to restore is refused', async () => {
    const { version } = await world.lineWithVersion();
    expect(
      await refusal('illegal_state', world.registry.revocations.restore(version.id, 'why', ann)),
    ).toContain('Restoring does not apply');
    await world.revoke(version);
    await world.registry.revocations.restore(version.id, 'fine', ann);
    expect((await world.registry.revocations.restore(version.id, 'fine', ann)).revocation.state).toBe('none');
    expect(await eventsOf(database().store, version.id, 'revocation.lifted')).toHaveLength(1);
    await refusal('illegal_state', world.registry.revocations.restore(version.id, 'again', bob));
  });

  test('images that were deleted stay gone: refused with the receipts, and a child stays revoked', async () => {
    const { bucket, version: parent } = await world.lineWithVersion();
    const child = await world.bake(await world.line({ parents: [bucket] }));
    await world.revoke(parent);
    const deletion = async (version: typeof parent, receiptId: string) => {
      const [artifact] = artifactsOf(version);
      await world.registry.enforcement.record({
        receiptId,
        versionId: version.id,
        artifactId: artifact?.id ?? '',
        target: { provider: 'qemu', account: 'local', region: 'here' },
        action: 'delete',
        outcome: 'done',
        launchable: false,
        detail: 'gone',
        lastKnown: 'deleted',
      });
    };
    await deletion(child, `receipt-${child.id}`);
    await world.registry.revocations.restore(parent.id, 'fine', ann);
    expect((await world.registry.versions.get(child.id)).revocation.state).toBe('revoked');
    expect(
      await refusal('illegal_state', world.registry.revocations.restore(child.id, 'fine', ann)),
    ).toContain(`receipt-${child.id}`);

    const recordId = await world.revoke(parent);
    await deletion(parent, `receipt-${parent.id}`);
    expect(
      await refusal('illegal_state', world.registry.revocations.restore(parent.id, 'fine', ann)),
    ).toContain(`receipt-${parent.id}`);
    await refusal('illegal_state', world.registry.revocations.lift(recordId, 'fine', ann));
  });

  test('revoke, restore, revoke: the second is a record of its own with its own cascade', async () => {
    const { bucket } = await world.lineWithVersion();
    const v2 = await world.bake(bucket);
    await world.assign(v2, 'prod');
    const first = await world.revoke(v2);
    await world.registry.revocations.restore(v2.id, 'fine', ann);
    await world.assign(v2, 'prod');
    const second = await world.revoke(v2);
    expect(second).not.toBe(first);
    expect(await world.effective(bucket, 'prod')).toBe('v1');
    const roots = await eventsOf(database().store, v2.id, 'revocation.effective');
    expect(roots.map(({ data }) => data['cascade'])).toEqual([first, second]);
    expect((await world.registry.enforcement.wish(v2.id)).wanted).toBe('blocked');
  });
});
