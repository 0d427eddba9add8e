/** A child completes while its ancestors are revoked: hundreds of times, with both orders forced. */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test, vi } from 'vitest';
import { createRegistry } from '../../src/registry/create-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { useDatabase } from '../support/database.ts';
import { at, expectOutcome, inLanes } from './support/interleave.ts';
import { expectInvariants } from './support/invariants.ts';
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
    const cascades = await rootEvents(store, inherited?.id ?? '', inherited?.rootId ?? '');
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

test('a cascade that starts while a child writes what it inherited has the child in its plan', async () => {
  const { store, connect } = database();
  const { grands, parents, children } = await threeGenerations();
  const grand = at(grands, 0);
  const childId = at(children, 0).open[0] ?? '';
  // The child stops at the point that matters: it has read its clock, before the date, and has not committed.
  const stop = await connect();
  await stop.query(`
    create function stop_here() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock(42); return new; end $$;
    create trigger stop_here before insert on revocation
      for each row when (new.version_id = '${childId}') execute function stop_here()`);
  await stop.query('select pg_advisory_lock(42)');
  try {
    const { record } = await revokeNow(grand.versions[0] ?? '', { inMs: 1_500 });
    const completed = registry.bakes.completeVersion(childId, ann);
    await sleep((await registry.revocations.nextDue(record.versionId))?.waitMs ?? 0);
    await sleep(5);
    const plan = registry.channels
      .assign({ project, bucket: grand.bucket, channel: 'dev', versionId: null, by: ann })
      .then(() => registry.enforcement.cascadePlan(record.id));
    await sleep(200);
    await stop.query('select pg_advisory_unlock(42)');
    await completed;
    expect((await plan).map(({ versionId }) => versionId)).toEqual([
      record.versionId,
      at(parents, 0).versions[0],
      childId,
    ]);
    expect(await rootEvents(store, record.id)).toHaveLength(1);
  } finally {
    await stop.query('drop function stop_here cascade');
  }
  await registry.revocations.materialiseDue();
  expect((await registry.versions.get(childId)).revocation.state).toBe('revoked');
  await expectInvariants(store);
});
