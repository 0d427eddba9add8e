/** Two decisions that race, hundreds of times, with both orders forced; the invariants hold whichever came first. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { beforeAll, expect, test, vi } from 'vitest';
import { createPointerActivities } from '../../src/activities/pointers.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { useDatabase } from '../support/database.ts';
import { at, expectOutcome, inLanes } from './support/interleave.ts';
import { expectInvariants } from './support/invariants.ts';
import { PointerCloud } from './support/pointer-cloud.ts';
import { seedLines } from './support/seed.ts';
import { rootEvents } from './support/trail.ts';
import { ann, project } from './support/world.ts';

vi.setConfig({ testTimeout: 240_000 });

const database = useDatabase({ connections: 20 });
const rounds = 200;
const lanes = 4;
let registry: Registry;
beforeAll(() => {
  registry = createRegistry(database().store);
});

const revokeNow = (versionId: string, more: { recordId?: string; inMs?: number } = {}) =>
  registry.revocations.revoke({
    versionId,
    reason: 'a hole',
    rollBack: true,
    descendants: true,
    by: ann,
    ...more,
  });

test('promote against revoke', async () => {
  const { store } = database();
  const lines = await seedLines(store, rounds, { versions: 3 });
  await inLanes(database(), lanes, rounds, async (round, gate) => {
    const line = at(lines, round);
    const [, v2 = '', v3 = ''] = line.versions;
    await registry.channels.rollBack({
      project,
      bucket: line.bucket,
      channel: 'prod',
      to: v2,
      reason: 'start',
      by: ann,
    });
    const promotion = await registry.promotions.request({
      project,
      bucket: line.bucket,
      channel: 'prod',
      versionId: v3,
      reason: 'new',
      by: ann,
    });
    await registry.promotions.beginPublishing(promotion.id);
    // Either the version that comes, or the one that is there.
    const revoked = round % 4 < 2 ? v3 : v2;
    const acts = [() => registry.promotions.complete(promotion.id), () => revokeNow(revoked)] as const;
    const held = [line.bucketId];
    const promoteFirst = round % 2 === 0;
    const [one, other] = promoteFirst
      ? await gate.run(held, acts[0], acts[1])
      : await gate.run(held, acts[1], acts[0]);
    const [promoted, revocation] = promoteFirst ? [one, other] : [other, one];
    expectOutcome(revocation);
    expectOutcome(promoted, ['illegal_state']);
    expect(promoted.status).toBe(revoked === v3 && !promoteFirst ? 'rejected' : 'fulfilled');
    const { effective } = await registry.channels.get(project, line.bucket, 'prod');
    expect(effective).toMatchObject({ versionId: revoked === v3 ? v2 : v3, derived: false });
  });
  await expectInvariants(store);
});

test('two promotions of one channel: one winner, a whole history', async () => {
  const { store } = database();
  const lines = await seedLines(store, rounds, { versions: 3 });
  await inLanes(database(), lanes, rounds, async (round, gate) => {
    const line = at(lines, round);
    const [v1 = '', v2 = ''] = line.versions;
    const ask = (versionId: string) => async () => {
      const { id } = await registry.promotions.request({
        project,
        bucket: line.bucket,
        channel: 'prod',
        versionId,
        reason: 'wanted',
        by: ann,
      });
      await registry.promotions.beginPublishing(id);
      return registry.promotions.complete(id);
    };
    const [first, second] = round % 2 === 0 ? [v1, v2] : [v2, v1];
    const results = await gate.run([line.bucketId], ask(first), ask(second));
    results.forEach((result) => {
      expectOutcome(result, ['superseded', 'conflict']);
    });
    const promotions = await registry.promotions.list(project, { bucket: line.bucket });
    const won = promotions.filter(({ state }) => state === 'done');
    expect(won.length).toBeGreaterThan(0);
    expect(promotions.every(({ endedAt }) => endedAt !== null)).toBe(true);
    const history = await registry.channels.history(project, line.bucket, 'prod');
    expect(history.filter(({ cause }) => cause === 'promoted')).toHaveLength(won.length);
    // The later request is the later decision.
    const { effective } = await registry.channels.get(project, line.bucket, 'prod');
    expect(effective.versionId).toBe(second);
  });
  await expectInvariants(store);
});

test('schedule, lift, reschedule, revoke again: in any order and twice', async () => {
  const { store } = database();
  const lines = await seedLines(store, rounds, { versions: 2 });
  const children = await seedLines(store, rounds, {
    versions: 1,
    parents: (index) => at(lines, index).versions.slice(1),
  });
  await inLanes(database(), lanes, rounds, async (round, gate) => {
    const line = at(lines, round);
    const versionId = line.versions[1] ?? '';
    const { record } = await revokeNow(versionId, { inMs: 3_600_000, recordId: `first-${round}` });
    const later = new Date(Date.now() + 7_200_000).toISOString();
    const acts = [
      () => registry.revocations.lift(record.id, 'no need', ann),
      () => registry.revocations.reschedule(record.id, later, ann),
      () => revokeNow(versionId, { recordId: `second-${round}` }),
      () => registry.revocations.restore(versionId, 'fine', ann),
    ];
    const one = acts[round % 4] ?? acts[0];
    const other = acts[(round + 1 + (Math.floor(round / 4) % 3)) % 4] ?? acts[0];
    if (one === undefined || other === undefined) return;
    for (const result of await gate.run([line.bucketId], one, other))
      expectOutcome(result, ['illegal_state']);
    // The same again, after the fact: nothing more happens, or it is refused.
    for (const act of [one, other]) await settled(act, ['illegal_state']);
    await settled(acts[3], ['illegal_state']);
    const { record: last } = await revokeNow(versionId, { recordId: `last-${round}` });
    expect(last.materialisedAt).not.toBeNull();
    for (const id of [versionId, ...at(children, round).versions]) {
      const { revocation } = await registry.versions.get(id);
      expect(revocation.state).toBe('revoked');
    }
    expect(await rootEvents(store, last.id)).toHaveLength(1);
  });
  await expectInvariants(store);
});

async function settled(act: (() => Promise<unknown>) | undefined, codes: readonly string[]): Promise<void> {
  const [result] = await Promise.allSettled([act?.()]);
  expectOutcome(result, codes);
}

test('a late roll back against a newer promotion at the same place, each coming in the middle of the other', async () => {
  const { store } = database();
  const place = { provider: 'qemu', account: 'local', region: 'here' };
  const lines = await seedLines(store, rounds, { versions: 3 });
  await inLanes(database(), lanes, rounds, async (round) => {
    const line = at(lines, round);
    const [v1 = '', v2 = '', v3 = ''] = line.versions;
    const channelId = line.channels.prod;
    const named = { project, bucket: line.bucket, channel: 'prod' };
    await registry.channels.rollBack({ ...named, to: v2, reason: 'start', by: ann });
    await revokeNow(v2);
    const asked = { ...named, versionId: v3, reason: 'the repair', by: ann };
    const promotion = await registry.promotions.request(asked);
    const cloud = new PointerCloud(`image-${v2}`);
    const activities = createPointerActivities({
      registry,
      providers: { get: () => cloud.provider },
    });
    const publish = async (workflowId: string) => {
      const activity = new MockActivityEnvironment({ workflowExecution: { workflowId, runId: 'run' } });
      const isBusy = () =>
        activity.run(async () => (await activities.publishPointer(channelId, place)).state === 'busy');
      while ((await isBusy()) === true) await sleep(1);
    };
    const promote = async () => {
      await publish('promote');
      await registry.promotions.complete(promotion.id);
    };
    let other = Promise.resolve();
    if (round % 2 === 0) {
      // The roll back read what is wanted and is about to write it when the promotion begins.
      cloud.beforeFirstWrite = async () => {
        await registry.promotions.beginPublishing(promotion.id);
        other = promote();
      };
      await publish('roll back');
    } else {
      await registry.promotions.beginPublishing(promotion.id);
      cloud.beforeFirstWrite = async () => {
        other = publish('roll back');
      };
      await promote();
    }
    await other;
    expect(cloud.writes).toEqual(round % 2 === 0 ? [`image-${v1}`, `image-${v3}`] : [`image-${v3}`]);
    const [pointer] = await registry.pointers.published(channelId);
    expect(pointer).toMatchObject({ versionId: v3, imageId: `image-${v3}` });
    expect((await registry.channels.get(project, line.bucket, 'prod')).effective.versionId).toBe(v3);
  });
  await expectInvariants(store);
});

test('what is due is materialised while a person assigns the same channel', async () => {
  const { store } = database();
  const lines = await seedLines(store, rounds, { versions: 3 });
  // One lane: the holder of the due work waits for one gate at a time.
  await inLanes(database(), 1, rounds, async (round, gate) => {
    const line = at(lines, round);
    const [v1 = '', v2 = '', v3 = ''] = line.versions;
    await revokeNow(v3, { inMs: 1 });
    await sleep(2);
    const due = () => registry.revocations.materialiseDue();
    const person = () =>
      registry.channels.assign({ project, bucket: line.bucket, channel: 'prod', versionId: v1, by: ann });
    const [one, other] = round % 2 === 0 ? [due, person] : [person, due];
    for (const result of await gate.run([line.bucketId], one, other)) expectOutcome(result);
    const history = await registry.channels.history(project, line.bucket, 'prod');
    expect(history.map(({ versionId, cause }) => [versionId, cause]).slice(0, 2)).toEqual([
      [v1, 'assigned'],
      [v2, 'revocation'],
    ]);
  });
  await expectInvariants(store);
});

test('what falls due while a person is writing the channel waits for them', async () => {
  const { store, connect } = database();
  const [line] = await seedLines(store, 1, { versions: 3 });
  const [v1 = '', v2 = '', v3 = ''] = line?.versions ?? [];
  const prod = { project, bucket: line?.bucket ?? '', channel: 'prod' };
  // The person stops at the point that matters: everything was read before the date, nothing is written.
  const stop = await connect();
  await stop.query(`
    create function stop_here() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock(42); return new; end $$;
    create trigger stop_here before insert on assignment
      for each row when (new.version_id = '${v2}') execute function stop_here()`);
  await stop.query('select pg_advisory_lock(42)');
  try {
    const { record } = await revokeNow(v3, { inMs: 1_500 });
    const assigned = registry.channels.assign({ ...prod, versionId: v2, by: ann });
    await sleep((await registry.revocations.nextDue(record.versionId))?.waitMs ?? 0);
    await sleep(5);
    const materialised = registry.revocations.materialiseDue();
    await sleep(200);
    await stop.query('select pg_advisory_unlock(42)');
    await assigned;
    expect((await materialised).materialised).toBe(1);
  } finally {
    await stop.query('drop function stop_here cascade');
  }
  const history = await registry.channels.history(prod.project, prod.bucket, 'prod');
  expect(history.map(({ versionId }) => versionId)).toEqual([v2, v3, v2, v1]);
  await expectInvariants(store);
});
