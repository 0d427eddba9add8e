import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { workflowIds } from '../../src/domain/workflow-ids.ts';
import { useDatabase } from '../support/database.ts';
import { ann, createWorld, project, refusal, type World } from './support/world.ts';
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
