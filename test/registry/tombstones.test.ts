/** Channels that are deleted, and the places that showed them. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { createPointerActivities } from '../../src/activities/pointers.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { useDatabase } from '../support/database.ts';
import { expectInvariants } from './support/invariants.ts';
import { PointerCloud } from './support/pointer-cloud.ts';
import { seedLines } from './support/seed.ts';
import { deliveriesOf } from './support/trail.ts';
import { ann, createWorld, home, project } from './support/world.ts';

const database = useDatabase();
let registry: Registry;
beforeAll(() => {
  registry = createRegistry(database().store);
});

interface Shop {
  readonly bucket: string;
  readonly versions: readonly string[];
  /** The channel `shop`, on the second version, which is shown in the cloud. */
  readonly channelId: string;
  readonly cloud: PointerCloud;
  readonly publish: (channelId: string) => Promise<void>;
}

const create = async (bucket: string, versionId?: string): Promise<string> => {
  const at = { project, bucket, channel: 'shop' };
  await registry.channelChanges.create({
    ...at,
    restricted: false,
    ...(versionId === undefined ? {} : { versionId }),
    by: ann,
  });
  return (await registry.channels.get(project, bucket, 'shop')).id;
};
const remove = (bucket: string) =>
  registry.channelChanges.remove({ project, bucket, channel: 'shop', mayDropGates: false, by: ann });

async function openShop(): Promise<Shop> {
  const [line] = await seedLines(database().store, 1, { versions: 2 });
  if (line === undefined) throw new Error('One was seeded.');
  const { bucket, versions } = line;
  const cloud = new PointerCloud();
  const activities = createPointerActivities({ registry, providers: { get: () => cloud.provider } });
  const publish = async (channelId: string) => {
    const activity = new MockActivityEnvironment({
      workflowExecution: { workflowId: `rollback/${channelId}`, runId: 'run' },
    });
    const isBusy = () =>
      activity.run(async () => (await activities.publishPointer(channelId, home)).state === 'busy');
    while ((await isBusy()) === true) await sleep(1);
  };
  const channelId = await create(bucket, versions[1]);
  await publish(channelId);
  return { bucket, versions, channelId, cloud, publish };
}

test('the place of a deleted channel is emptied, under the name that it had', async () => {
  const { bucket, versions, channelId, cloud, publish } = await openShop();
  await remove(bucket);
  const event = await database()
    .store.db.selectFrom('event')
    .select('id')
    .where('kind', '=', 'channel.deleted')
    .where('subject_id', '=', channelId)
    .executeTakeFirstOrThrow();
  expect(await deliveriesOf(database().store, event.id)).toEqual([
    { action: 'wake', workflowId: `rollback/${project}/${channelId}` },
  ]);
  expect(await registry.pointers.wantedOf({ channelId })).toEqual([
    {
      channelId,
      bucket,
      channel: 'shop',
      target: home,
      versionId: null,
      imageId: null,
      because: 'assignment',
    },
  ]);
  await publish(channelId);
  expect(cloud.writes).toEqual([`image-${versions[1]}`, undefined]);
  expect([...cloud.names]).toEqual([`${bucket}/shop`]);
  expect(await registry.pointers.published(channelId)).toEqual([
    expect.objectContaining({ versionId: null, imageId: null }),
  ]);
  await expectInvariants(database().store);
});

test('a late writer for the deleted one shows what a new channel of that name points to', async () => {
  const { bucket, versions, channelId, cloud, publish } = await openShop();
  await remove(bucket);
  const again = await create(bucket, versions[0]);
  await publish(channelId);
  expect(cloud.writes).toEqual([`image-${versions[1]}`, `image-${versions[0]}`]);
  await publish(again);
  expect(cloud.writes).toHaveLength(2);
  expect(await registry.pointers.published(channelId)).toEqual([]);
  expect(await registry.pointers.published(again)).toEqual([
    expect.objectContaining({ versionId: versions[0] }),
  ]);
});

test('a writer that is emptying the place keeps it, and then shows the new channel', async () => {
  const { bucket, versions, channelId, cloud, publish } = await openShop();
  await remove(bucket);
  let other = Promise.resolve();
  let wasGiven: boolean | undefined;
  cloud.beforeFirstWrite = async () => {
    const again = await create(bucket, versions[0]);
    wasGiven = await registry.pointers.lease(again, home, 'somebody else', 30_000);
    other = publish(again);
  };
  await publish(channelId);
  await other;
  expect(wasGiven).toBe(false);
  expect(cloud.writes).toEqual([`image-${versions[1]}`, undefined, `image-${versions[0]}`]);
});

test('a channel that a line describes anew has the places of the deleted one', async () => {
  const world = createWorld(database());
  const { bucket, version } = await world.lineWithVersion();
  const { line } = await registry.lines.get(project, bucket);
  if (line === null) throw new Error('It has a line.');
  const { id } = await registry.channels.get(project, bucket, 'prod');
  await registry.pointers.lease(id, home, 'writer', 30_000);
  await registry.pointers.recordPublished({
    channelId: id,
    target: home,
    holder: 'writer',
    versionId: version.id,
    imageId: 'image',
  });
  const without = { ...line, channels: line.channels.filter(({ name }) => name !== 'prod') };
  await registry.lines.apply(project, [without], ann);
  await registry.channelChanges.remove({ project, bucket, channel: 'prod', mayDropGates: false, by: ann });
  await registry.lines.apply(project, [line], ann);
  const again = await registry.channels.get(project, bucket, 'prod');
  expect(again.id).not.toBe(id);
  expect(await registry.pointers.published(again.id)).toEqual([
    expect.objectContaining({ versionId: version.id }),
  ]);
  expect(await registry.pointers.lease(again.id, home, 'somebody else', 30_000)).toBe(false);
});

test('a deleted bucket empties the places of all its channels; a new one of its name has them', async () => {
  const { bucket, versions, channelId, cloud, publish } = await openShop();
  await registry.deletions.bucket({ project, bucket, mayDropLine: false, by: ann });
  expect(await registry.pointers.wantedOf({ channelId })).toEqual([
    expect.objectContaining({ channelId, bucket, channel: 'shop', imageId: null }),
  ]);
  await publish(channelId);
  expect(cloud.writes).toEqual([`image-${versions[1]}`, undefined]);
  await registry.buckets.create({ project, bucket, description: '', labels: {}, by: ann });
  const again = await create(bucket);
  expect(await registry.pointers.wantedOf({ channelId })).toEqual([
    expect.objectContaining({ channelId: again, target: home }),
  ]);
  await expectInvariants(database().store);
});

test('a deleted version leaves its places: the channels that showed it show where they went', async () => {
  const { bucket, versions, channelId, cloud, publish } = await openShop();
  const [v1 = '', v2 = ''] = versions;
  await registry.channelChanges.update({ project, bucket, channel: 'shop', versionId: v1, by: ann });
  await registry.channelChanges.update({ project, bucket, channel: 'shop', versionId: v2, by: ann });
  await registry.deletions.version({ project, bucket, fingerprint: v2, rollBack: true, by: ann });
  await publish(channelId);
  expect(cloud.writes).toEqual([`image-${v2}`, `image-${v1}`]);
  expect((await registry.versions.get(v2)).name).toBe('v2');
});

test('a writer that found the deleted one before a new channel of its name was there leaves no place behind', async () => {
  const { bucket, versions, channelId } = await openShop();
  await remove(bucket);
  const client = await database().connect();
  // Between its two steps it waits for whoever holds this lock.
  await client.query(`
    create function wait_for_test() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock(4711); return new; end $$;
    create trigger wait_for_test before insert on channel_pointer for each row
      when (new.lease_holder = 'late') execute function wait_for_test()`);
  await client.query('select pg_advisory_lock(4711)');
  const late = registry.pointers.lease(channelId, home, 'late', 30_000);
  const waiting = async () =>
    (await client.query("select from pg_locks where locktype = 'advisory' and not granted")).rowCount;
  await expect.poll(waiting).toBe(1);
  const again = await create(bucket, versions[0]);
  expect(await registry.pointers.lease(again, home, 'first', 30_000)).toBe(true);
  await client.query('select pg_advisory_unlock(4711)');
  expect(await late).toBe(false);
  const places = await database()
    .store.db.selectFrom('channel_pointer')
    .select(['channel_id', 'lease_holder'])
    .where('channel_id', 'in', [channelId, again])
    .execute();
  expect(places).toEqual([{ channel_id: again, lease_holder: 'first' }]);
});
