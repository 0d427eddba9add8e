/** Two changes that race, hundreds of times, with both orders forced; the invariants hold whichever came first. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { beforeAll, expect, test, vi } from 'vitest';
import { isFailure } from '../../src/domain/failure.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { useDatabase } from '../support/database.ts';
import { inLanes } from './support/interleave.ts';
import { expectInvariants } from './support/invariants.ts';
import { seedLines } from './support/seed.ts';
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

function at<T>(all: readonly T[], index: number): T {
  const found = all[index];
  if (found === undefined) throw new Error(`There is no ${index}.`);
  return found;
}

async function threeGenerations() {
  const { store } = database();
  const grands = await seedLines(store, rounds, { versions: 1 });
  const parents = await seedLines(store, rounds, {
    versions: 1,
    parents: (index) => at(grands, index).versions,
  });
  const children = await seedLines(store, rounds, {
    versions: 0,
    open: 1,
    parents: (index) => at(parents, index).versions,
  });
  return { grands, parents, children };
}

/** Root events of these records, with the cascades that they start. */
async function rootEvents(...recordIds: string[]) {
  const rows = await database()
    .store.db.selectFrom('event')
    .select(['data', 'at'])
    .where('kind', '=', 'revocation.effective')
    .where(sql<boolean>`data ->> 'cascade' = any(${recordIds}::text[])`)
    .orderBy('sequence')
    .execute();
  return rows;
}

/** Only the refusals that are the right answer to having come second. */
function expectOutcome(result: PromiseSettledResult<unknown>, codes: readonly string[] = []): void {
  if (result.status === 'fulfilled') return;
  const error: unknown = result.reason;
  if (isFailure(error) && codes.includes(error.code)) return;
  throw error instanceof Error ? error : new Error(String(error));
}

test('a child completes while its parent is revoked', async () => {
  const { store } = database();
  const { grands, parents, children } = await threeGenerations();
  await inLanes(database(), lanes, rounds, async (round, gate) => {
    const { bucketId } = at(parents, round);
    const childId = at(children, round).open[0] ?? '';
    // The parent's own revocation, or its parent's, which it hands down.
    const revoked = at(round % 4 < 2 ? parents : grands, round).versions[0] ?? '';
    const complete = () => registry.bakes.completeVersion(childId, ann);
    const revoke = () => revokeNow(revoked);
    const [one, other] = round % 2 === 0 ? [complete, revoke] : [revoke, complete];
    for (const result of await gate.run([bucketId], one, other)) expectOutcome(result);
    const version = await registry.versions.get(childId);
    expect(version.revocation).toMatchObject({ state: 'revoked', inheritedFrom: { versionId: revoked } });
    const latest = await registry.channels.get(project, version.bucket, 'latest');
    expect(latest.effective).toMatchObject({ versionId: null, derived: false });
  });
  await expectInvariants(store);
});

test('a child completes at the instant at which a scheduled revocation of its grandparent takes effect', async () => {
  const { store } = database();
  const { grands, parents, children } = await threeGenerations();
  let late = 0;
  // Milliseconds that a race takes on this machine now: the date falls before, into and after it.
  let typical = 50;
  await inLanes(database(), lanes, rounds, async (round, gate) => {
    const grand = at(grands, round);
    const childId = at(children, round).open[0] ?? '';
    const { record } = await revokeNow(grand.versions[0] ?? '', {
      inMs: Math.ceil(typical * (0.25 + (round % 20) / 10)),
    });
    const began = performance.now();
    const complete = () => registry.bakes.completeVersion(childId, ann);
    // Any change of the grandparent's bucket writes what is due there; it does not touch the parent's, which the child holds.
    const touch = () =>
      registry.channels.assign({ project, bucket: grand.bucket, channel: 'dev', versionId: null, by: ann });
    const [one, other] = round % 2 === 0 ? [complete, touch] : [touch, complete];
    for (const result of await gate.run([grand.bucketId, at(parents, round).bucketId], one, other)) {
      expectOutcome(result);
    }
    typical += (performance.now() - began - typical) / 8;
    const [inherited] = await registry.revocations.records(childId);
    expect(inherited).toMatchObject({ rootId: record.id, dueAt: record.dueAt });
  });
  await sleep(3 * typical);
  await registry.revocations.materialiseDue();
  await expectInvariants(store);
  // Whoever read the plan of a root's cascade when its event was committed found the child, or the child has a cascade of its own.
  for (const { open } of children) {
    const [inherited] = await registry.revocations.records(open[0] ?? '');
    const cascades = await rootEvents(inherited?.id ?? '', inherited?.rootId ?? '');
    expect(cascades.length).toBeGreaterThan(0);
    if (cascades.some(({ data }) => data['cascade'] === inherited?.id)) late += 1;
    else
      expect(Date.parse(cascades[0]?.at ?? '')).toBeGreaterThanOrEqual(
        Date.parse(inherited?.createdAt ?? ''),
      );
  }
  expect(late).toBeGreaterThan(0);
  expect(late).toBeLessThan(rounds);
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
    expect(await rootEvents(last.id)).toHaveLength(1);
  });
  await expectInvariants(store);
});

async function settled(act: (() => Promise<unknown>) | undefined, codes: readonly string[]): Promise<void> {
  const [result] = await Promise.allSettled([act?.()]);
  expectOutcome(result, codes);
}

test('a late roll back against a newer promotion at the same place', async () => {
  const { store } = database();
  const place = { provider: 'qemu', account: 'local', region: 'here' };
  const lines = await seedLines(store, rounds, { versions: 3 });
  await inLanes(database(), lanes, rounds, async (round, gate) => {
    const line = at(lines, round);
    const [, v2 = '', v3 = ''] = line.versions;
    const channelId = line.channels.prod;
    await registry.channels.rollBack({
      project,
      bucket: line.bucket,
      channel: 'prod',
      to: v2,
      reason: 'start',
      by: ann,
    });
    await revokeNow(v2);
    const promotion = await registry.promotions.request({
      project,
      bucket: line.bucket,
      channel: 'prod',
      versionId: v3,
      reason: 'the repair',
      by: ann,
    });
    // What each does at the place: take the lease, read what is wanted, write it, read again until it is what was written.
    const publish = async (holder: string) => {
      while (!(await registry.pointers.lease(channelId, place, holder, 5_000))) await sleep(1);
      try {
        for (;;) {
          const wanted = await registry.pointers.wanted(channelId, place);
          // A slow cloud: what is wanted may change while it is written.
          await sleep(round % 7);
          await registry.pointers.recordPublished(channelId, place, wanted.versionId, wanted.imageId);
          const again = await registry.pointers.wanted(channelId, place);
          if (again.versionId === wanted.versionId) return;
        }
      } finally {
        await registry.pointers.release(channelId, place, holder);
      }
    };
    const promote = async () => {
      await registry.promotions.beginPublishing(promotion.id);
      await publish('promote');
      await registry.promotions.complete(promotion.id);
    };
    const rollBack = () => publish('roll back');
    const [one, other] = round % 2 === 0 ? [promote, rollBack] : [rollBack, promote];
    for (const result of await gate.run([line.bucketId], one, other)) expectOutcome(result);
    const [pointer] = await registry.pointers.published(channelId);
    expect(pointer).toMatchObject({ versionId: v3, imageId: `image-${v3}` });
    expect((await registry.channels.get(project, line.bucket, 'prod')).effective.versionId).toBe(v3);
  });
  await expectInvariants(store);
});
