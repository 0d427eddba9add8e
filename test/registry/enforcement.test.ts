import { setTimeout as sleep } from 'node:timers/promises';
import { ulid } from 'ulid';
import { beforeAll, expect, test } from 'vitest';
import type { Enforcement } from '../../src/registry/contract/enforcement.ts';
import type { Version } from '../../src/domain/version.ts';
import { workflowIds } from '../../src/domain/workflow-ids.ts';
import { useDatabase } from '../support/database.ts';
import { deliveriesOf } from './support/trail.ts';
import { ann, artifactsOf, createWorld, home, project, refusal, type World } from './support/world.ts';

const database = useDatabase();
let world: World;
beforeAll(() => {
  world = createWorld(database());
});

type NewReceipt = Parameters<Enforcement['record']>[0];
const imageOf = (version: Version) => artifactsOf(version)[0]?.id ?? '';
const receipt = (version: Version, more: Partial<NewReceipt>) =>
  world.registry.enforcement.record({
    receiptId: ulid(),
    versionId: version.id,
    artifactId: imageOf(version),
    target: home,
    action: 'verify',
    outcome: 'done',
    launchable: true,
    detail: '',
    ...more,
  });

test('what is wanted follows the clock: usable, announced, blocked, deleted after the grace, usable again', async () => {
  const { version } = await world.lineWithVersion({ deleteAfterMs: 2_000 });
  const { enforcement } = world.registry;
  expect(await enforcement.wish(version.id)).toMatchObject({
    wanted: 'usable',
    deprecateAt: null,
    deleteInMs: null,
    reason: '',
  });
  const recordId = await world.revoke(version, { inMs: 1_500 });
  const [record] = await world.registry.revocations.records(version.id);
  expect(await enforcement.wish(version.id)).toMatchObject({
    wanted: 'usable',
    deprecateAt: record?.dueAt,
    reason: 'a hole',
  });
  await sleep(((await world.registry.revocations.nextDue(version.id))?.waitMs ?? 0) + 5);
  // The grace begins when the image is proved to be blocked.
  expect(await enforcement.wish(version.id)).toMatchObject({ wanted: 'blocked', deleteInMs: 2_000 });
  await receipt(version, { action: 'disable', launchable: false, lastKnown: 'disabled' });
  const blocked = await enforcement.wish(version.id);
  expect(blocked.wanted).toBe('blocked');
  expect(blocked.deleteInMs).toBeGreaterThan(0);
  expect(blocked.deleteInMs).toBeLessThanOrEqual(2_000);
  await sleep((blocked.deleteInMs ?? 0) + 5);
  expect(await enforcement.wish(version.id)).toMatchObject({ wanted: 'deleted', deleteInMs: null });
  await world.registry.revocations.lift(recordId, 'fine', { name: 'ann', via: 'api' });
  expect(await enforcement.wish(version.id)).toMatchObject({ wanted: 'usable', deprecateAt: null });
  await world.revoke(version);
  // The proof is of the revocation before: counted from this one.
  expect((await enforcement.wish(version.id)).wanted).toBe('blocked');
});

test('shares found first are kept until they are put back', async () => {
  const { version } = await world.lineWithVersion();
  const { enforcement } = world.registry;
  const recorded = async () => (await enforcement.wish(version.id)).places[0]?.recordedShares;
  expect(await recorded()).toBeNull();
  await enforcement.recordShares(imageOf(version), ['111', '222']);
  await enforcement.recordShares(imageOf(version), []);
  expect(await recorded()).toEqual(['111', '222']);
  await receipt(version, { action: 'share', outcome: 'failed', launchable: null });
  expect(await recorded()).toEqual(['111', '222']);
  await receipt(version, { action: 'share', launchable: null });
  expect(await recorded()).toBeNull();
  await refusal('not_found', enforcement.recordShares('nothing', []));
});

test('a receipt is written once, for ever, and changes what is known of the image', async () => {
  const { version } = await world.lineWithVersion();
  const receiptId = ulid();
  await receipt(version, { receiptId, lastKnown: 'present' });
  await receipt(version, { receiptId, action: 'disable', lastKnown: 'disabled' });
  const read = await world.registry.versions.get(version.id);
  expect(read.verified).toBe(true);
  expect(artifactsOf(read)[0]?.lastKnown).toBe('present');
  const receipts = await world.registry.enforcement.receipts(project, { versionId: version.id });
  expect(receipts).toEqual([
    expect.objectContaining({ id: receiptId, action: 'verify', target: home, launchable: true }),
  ]);
  await expect(database().store.db.deleteFrom('receipt').execute()).rejects.toThrow('never changed');
  await refusal('not_found', receipt(version, { artifactId: 'nothing' }));
  await refusal('not_found', receipt(version, { versionId: 'nothing' }));
});

test('verified means: the newest look found it launchable while it was not revoked', async () => {
  const { version } = await world.lineWithVersion();
  const verified = async () => (await world.registry.versions.get(version.id)).verified;
  await receipt(version, { lastKnown: 'present' });
  expect(await verified()).toBe(true);
  await receipt(version, { outcome: 'failed', launchable: false });
  expect(await verified()).toBe(false);
  await receipt(version, { launchable: null });
  expect(await verified()).toBe(false);
  await receipt(version, {});
  expect(await verified()).toBe(true);
  await receipt(version, { action: 'publish', launchable: null, lastKnown: 'missing' });
  expect(await verified()).toBe(false);
});

test('pointers: every place of the channels that show, showed or will show a version', async () => {
  const far = { ...home, region: 'there' };
  const bucket = await world.line({ targets: [home, far] });
  const version = await world.bake(bucket);
  const { pointers } = world.registry;
  expect(await pointers.wantedOf({ versionId: version.id })).toEqual([]);
  await world.assign(version, 'prod');
  const { id: channelId } = await world.registry.channels.get(project, bucket, 'prod');
  const wanted = (await pointers.wantedOf({ versionId: version.id })).map(
    ({ target, versionId, imageId }) => [target.region, versionId, imageId],
  );
  const imageId = artifactsOf(version)[0]?.image.imageId;
  expect(wanted).toEqual([
    ['here', version.id, imageId],
    ['there', version.id, imageId],
  ]);
  expect(await pointers.wantedOf({ channelId })).toHaveLength(2);

  const elsewhere = { ...home, region: 'elsewhere' };
  const written = { channelId, target: elsewhere, holder: 'w', versionId: version.id, imageId: 'old' };
  expect(await pointers.recordPublished(written)).toBe(false);
  expect(await pointers.lease(channelId, elsewhere, 'w', 10_000)).toBe(true);
  expect(await pointers.recordPublished(written)).toBe(true);
  expect(await pointers.wanted(channelId, elsewhere)).toMatchObject({ versionId: null, imageId: null });
  expect(await pointers.wantedOf({ channelId })).toHaveLength(3);
  await world.revoke(version);
  expect((await pointers.wantedOf({ versionId: version.id })).every((one) => one.versionId === null)).toBe(
    true,
  );
});

test('pointers: a promotion that publishes counts until its version is revoked; then its places are told at once', async () => {
  const { bucket, version: first } = await world.lineWithVersion();
  const second = await world.bake(bucket);
  const { pointers, promotions } = world.registry;
  const asked = { project, bucket, channel: 'prod', versionId: second.id, reason: 'new', by: ann };
  const promotion = await promotions.request(asked);
  await promotions.beginPublishing(promotion.id);
  const { id: channelId } = await world.registry.channels.get(project, bucket, 'prod');
  expect(await pointers.wanted(channelId, home)).toMatchObject({
    versionId: second.id,
    because: 'promotion',
  });
  const recordId = await world.revoke(second);
  expect(await pointers.wanted(channelId, home)).toMatchObject({
    versionId: first.id,
    because: 'assignment',
  });
  expect((await pointers.wantedOf({ versionId: second.id })).map((one) => one.channelId)).toContain(
    channelId,
  );
  const { store } = database();
  const effect = await store.db
    .selectFrom('event')
    .select('id')
    .where('kind', '=', 'revocation.effective')
    .where('subject_id', '=', recordId)
    .executeTakeFirstOrThrow();
  expect((await deliveriesOf(store, effect.id)).map(({ workflowId }) => workflowId)).toContain(
    workflowIds.rollBackChannels(project, second.id),
  );
  await refusal('illegal_state', promotions.complete(promotion.id));
});

test('one writer per channel and place, until it gives it back or its time is over', async () => {
  const { bucket } = await world.lineWithVersion();
  const { id } = await world.registry.channels.get(project, bucket, 'prod');
  const { pointers } = world.registry;
  const far = { ...home, region: 'there' };
  const tries = await Promise.all(
    Array.from({ length: 20 }, (_, n) => pointers.lease(id, home, `w${n}`, 10_000)),
  );
  expect(tries.filter(Boolean)).toHaveLength(1);
  const holder = `w${tries.indexOf(true)}`;
  expect(await pointers.lease(id, home, holder, 10_000)).toBe(true);
  expect(await pointers.lease(id, far, 'other', 10_000)).toBe(true);
  await pointers.release(id, home, 'other');
  expect(await pointers.lease(id, home, 'other', 10_000)).toBe(false);
  const written = { channelId: id, target: home, versionId: null, imageId: null };
  expect(await pointers.recordPublished({ ...written, holder: 'other' })).toBe(false);
  expect(await pointers.recordPublished({ ...written, holder })).toBe(true);
  expect(await pointers.lease(id, home, 'other', 10_000)).toBe(false);
  await pointers.release(id, home, holder);
  expect(await pointers.lease(id, home, 'other', 20)).toBe(true);
  await sleep(30);
  expect(await pointers.lease(id, home, holder, 1_000)).toBe(true);
  expect((await pointers.published(id)).map((one) => one.target)).toEqual([home]);
});
