import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { workflowIds } from '../../src/domain/workflow-ids.ts';
import { useDatabase } from '../support/database.ts';
import { expectInvariants } from './support/invariants.ts';
import { deliveriesOf, eventsOf } from './support/trail.ts';
import { ann, createWorld, project, refusal, type World } from './support/world.ts';

const database = useDatabase();
let world: World;
beforeAll(() => {
  world = createWorld(database());
});

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const exempt = (versionId: string, endsAt: string, descendants = false) =>
  world.registry.revocations.exempt({ versionId, endsAt, reason: 'a migration', descendants, by: ann });
const state = async (versionId: string) => (await world.registry.versions.get(versionId)).revocation.state;

test('it shields its version, not its descendants, and the date counts from its end', async () => {
  const { bucket, version: parent } = await world.lineWithVersion();
  const { version: child } = await world.lineWithVersion({ parents: [bucket] });
  await exempt(parent.id, inMs(2_500));
  await world.revoke(parent);
  expect(await state(parent.id)).toBe('scheduled');
  expect(await state(child.id)).toBe('revoked');
  expect(await world.effective(bucket, 'prod')).toBe('v1');
  expect(await world.effective(child.bucket, 'prod')).toBeNull();
  expect((await world.registry.revocations.nextDue(parent.id))?.waitMs).toBeGreaterThan(0);

  const due = await world.registry.revocations.nextDue(parent.id);
  await sleep((due?.waitMs ?? 0) + 5);
  expect(await state(parent.id)).toBe('revoked');
  expect(await world.effective(bucket, 'prod')).toBeNull();
  await world.registry.revocations.materialiseDue(parent.id);
  expect(await eventsOf(database().store, parent.id, 'exemption.ended')).toHaveLength(1);
  await expectInvariants(database().store);
});

test('granted after the effect it makes usable again; its end is a root event of its own', async () => {
  const { bucket, version: parent } = await world.lineWithVersion();
  const { version: child } = await world.lineWithVersion({ parents: [bucket] });
  const recordId = await world.revoke(parent);
  const exemption = await exempt(parent.id, inMs(2_500), true);
  const again = await exempt(parent.id, exemption.endsAt, true);
  expect(again.id).toBe(exemption.id);
  expect([await state(parent.id), await state(child.id)]).toEqual(['scheduled', 'scheduled']);
  expect((await world.registry.enforcement.wish(child.id)).wanted).toBe('usable');
  const [granted] = await eventsOf(database().store, parent.id, 'exemption.granted');
  expect(await deliveriesOf(database().store, granted?.id ?? '')).toEqual([
    { action: 'wake', workflowId: workflowIds.scheduleRevocation(project, parent.id) },
    { action: 'start', workflowId: workflowIds.cascade(project, recordId, `exempted-${exemption.id}`) },
  ]);

  const late = await world.bake(child.bucket).catch((error: unknown) => error);
  expect(late).toBeInstanceOf(Error);
  await sleep(((await world.registry.revocations.nextDue(parent.id))?.waitMs ?? 0) + 5);
  expect(await world.registry.revocations.materialiseDue(parent.id)).toEqual({ materialised: 2, early: 0 });
  const effects = await eventsOf(database().store, parent.id, 'revocation.effective');
  expect(effects.map(({ data }) => [data['cascade'], data['change']])).toEqual([
    [recordId, 'effective'],
    [recordId, `exemption-${exemption.id}`],
  ]);
  expect([await state(parent.id), await state(child.id)]).toEqual(['revoked', 'revoked']);
  await expectInvariants(database().store);
});

test('a child recorded meanwhile is covered by one that covers descendants', async () => {
  const { bucket, version: parent } = await world.lineWithVersion();
  const line = await world.line({ parents: [bucket] });
  const running = await world.open(line);
  await world.revoke(parent);
  await exempt(parent.id, inMs(2_500), true);
  const child = await world.complete(running);
  expect(child.revocation.state).toBe('scheduled');
  expect(await world.effective(line, 'latest')).toBe('v1');
  await sleep(((await world.registry.revocations.nextDue(parent.id))?.waitMs ?? 0) + 5);
  await world.registry.revocations.materialiseDue(parent.id);
  expect(await world.effective(line, 'latest')).toBeNull();
  await expectInvariants(database().store);
});

test('the end must be to come, and have an offset and a reason', async () => {
  const { version } = await world.lineWithVersion();
  expect(await refusal('invalid_input', exempt(version.id, '2020-01-01T00:00:00Z'))).toContain('in the past');
  await refusal('invalid_input', exempt(version.id, '2030-01-01T00:00:00'));
  await refusal(
    'invalid_input',
    world.registry.revocations.exempt({
      versionId: version.id,
      endsAt: inMs(1_000),
      reason: ' ',
      descendants: false,
      by: ann,
    }),
  );
});
