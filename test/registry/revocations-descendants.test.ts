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
