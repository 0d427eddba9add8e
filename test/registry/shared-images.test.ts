/** One image that several versions name. */
import { ulid } from 'ulid';
import { beforeAll, describe, expect, test } from 'vitest';
import { createEnforcementActivities } from '../../src/activities/enforcement.ts';
import type { EventKind } from '../../src/domain/events.ts';
import { unknownAccount } from '../../src/domain/target.ts';
import type { Version } from '../../src/domain/version.ts';
import { workflowIds } from '../../src/domain/workflow-ids.ts';
import { useDatabase } from '../support/database.ts';
import { openForeign } from './support/foreign.ts';
import { deliveriesOf, eventsOf } from './support/trail.ts';
import { ann, artifactsOf, createWorld, home, project, type World } from './support/world.ts';

const database = useDatabase();
let world: World;
beforeAll(() => {
  world = createWorld(database());
});

/** As Packer tells it to HCP's API, which knows no accounts. */
const tell = (bucket: string, ...images: readonly string[]) => tellOf(home.region, bucket, images);

async function tellOf(region: string, bucket: string, images: readonly string[]): Promise<Version> {
  const fingerprint = ulid();
  const at = { project, bucket, fingerprint, by: ann, mayRead: () => true };
  const { publishing, versions } = world.registry;
  await publishing.openVersion({ ...at, templateType: null });
  await publishing.openBuild({
    ...at,
    componentType: 'qemu.one',
    fields: {
      state: 'done',
      platform: 'qemu',
      artifacts: images.map((externalIdentifier) => ({ externalIdentifier, region })),
    },
  });
  return versions.find(project, bucket, fingerprint);
}

const accountsOf = (version: Version) => artifactsOf(version).map(({ image }) => image.target.account);
const wishOf = (version: Version) => world.registry.enforcement.wish(version.id);
const imagesWanted = async (version: Version) => {
  const { wanted, places } = await wishOf(version);
  return [wanted, ...places.map(({ image }) => image.imageId)];
};

describe('an image that another bucket has', () => {
  test('is nobody else’s to revoke, whoever names it', async () => {
    const { version } = await world.lineWithVersion();
    const image = artifactsOf(version)[0]?.image.imageId ?? '';
    const other = await world.line();
    expect(accountsOf(await tell(other, image, 'my-own'))).toEqual([unknownAccount, home.account]);
    expect(accountsOf(await tell(version.bucket, image))).toEqual([home.account]);
    // Its owner deleted it, and its image is there: nothing is given away by that.
    const { fingerprint } = version;
    await world.registry.deletions.version({
      project,
      bucket: version.bucket,
      fingerprint,
      rollBack: true,
      by: ann,
    });
    expect(accountsOf(await tell(other, image))).toEqual([unknownAccount]);
  });

  test('is had by one of those who tell of it at once', async () => {
    const buckets = [await world.line(), await world.line(), await world.line(), await world.line()];
    for (let round = 0; round < 15; round += 1) {
      const images = Array.from({ length: 5 }, (_, index) => `raced-${round}-${index}`);
      const told = await Promise.all(
        buckets.map((bucket, index) => tell(bucket, ...(index % 2 === 0 ? images : images.toReversed()))),
      );
      expect(told.flatMap(accountsOf).filter((account) => account === home.account)).toHaveLength(5);
    }
  });

  test('and that a bake made, is the bake’s also where somebody named it before', async () => {
    const bucket = await world.line();
    const baked = await world.open(bucket);
    const image = artifactsOf(baked)[0]?.image.imageId ?? '';
    const thief = await tell(await world.line(), 'guessed');
    await database()
      .store.db.updateTable('artifact')
      .set({ image_id: image })
      .where('version_id', '=', thief.id)
      .execute();
    expect(await imagesWanted(thief)).toEqual(['usable']);
    await world.revoke(thief);
    expect(await imagesWanted(thief)).toEqual(['blocked']);
    await world.complete(baked);
    await world.revoke(baked);
    expect(await imagesWanted(baked)).toEqual(['blocked', image]);
  });
});

test('an image that a bake made stays blocked when somebody names it in the same bucket', async () => {
  const { version } = await world.lineWithVersion();
  const image = artifactsOf(version)[0]?.image.imageId ?? '';
  await world.revoke(version);
  const named = await tell(version.bucket, image);
  expect(await imagesWanted(version)).toEqual(['blocked', image]);
  expect(await imagesWanted(named)).toEqual(['usable']);
});

describe('an image of several versions of a bucket', () => {
  test('is looked at again by whoever comes to have it, and by those that left it to the last one', async () => {
    const { store } = database();
    const wakes = async (versionId: string, kind: EventKind) => {
      const [event] = await eventsOf(store, versionId, kind);
      return (await deliveriesOf(store, event?.id ?? '')).filter(({ workflowId }) =>
        workflowId.startsWith('retire/'),
      );
    };
    const bucket = await world.line();
    const one = await tell(bucket, 'again');
    expect(await wakes(one.id, 'version.completed')).toEqual([]);
    await world.revoke(one);
    const two = await tell(bucket, 'again');
    const ofTwo = { action: 'wake', workflowId: workflowIds.retire(project, two.id) };
    expect(await wakes(two.id, 'version.completed')).toEqual([ofTwo]);
    await world.revoke(two);
    const ofOne = { action: 'wake', workflowId: workflowIds.retire(project, one.id) };
    expect(await wakes(two.id, 'revocation.effective')).toContainEqual(ofOne);
  });

  test('is blocked when all that live are revoked', async () => {
    const bucket = await world.line();
    const one = await tell(bucket, 'shared', 'of-one');
    const two = await tell(bucket, 'shared');
    const onlyOne = await world.revoke(one);
    expect(await imagesWanted(one)).toEqual(['blocked', 'of-one']);
    expect(await imagesWanted(two)).toEqual(['usable', 'shared']);
    await world.revoke(two);
    expect(await imagesWanted(one)).toEqual(['blocked', 'shared', 'of-one']);
    expect(await imagesWanted(two)).toEqual(['blocked', 'shared']);
    await world.registry.revocations.lift(onlyOne, 'fine', ann);
    expect(await imagesWanted(two)).toEqual(['blocked']);
    expect(await imagesWanted(one)).toEqual(['usable', 'shared', 'of-one']);
  });

  test('is blocked when the one that was not revoked is deleted', async () => {
    const bucket = await world.line();
    const one = await tell(bucket, 'left');
    const two = await tell(bucket, 'left');
    await world.revoke(one);
    await world.registry.deletions.version({
      project,
      bucket,
      fingerprint: two.fingerprint,
      rollBack: true,
      by: ann,
    });
    expect(await imagesWanted(one)).toEqual(['blocked', 'left']);
    const [deleted] = await eventsOf(database().store, two.id, 'version.deleted');
    expect(await deliveriesOf(database().store, deleted?.id ?? '')).toEqual([
      { action: 'wake', workflowId: workflowIds.retire(project, one.id) },
    ]);
  });
});

test('an image that nobody here reaches is to be disabled by hand when all that live are revoked', async () => {
  const bucket = await world.line();
  const one = await tellOf('nowhere', bucket, ['out-of-reach']);
  const two = await tellOf('nowhere', bucket, ['out-of-reach']);
  expect(accountsOf(one)).toEqual([unknownAccount]);
  const { enforcement } = world.registry;
  const refused = async () => {
    for (const { id } of [one, two]) await enforcement.refuseUnreached(id, () => 'nobody knows whose it is');
    const receipts = await enforcement.receipts(project, {});
    return receipts.filter(({ detail }) => detail.includes('out-of-reach')).map(({ versionId }) => versionId);
  };
  await world.revoke(one);
  expect(await refused()).toEqual([]);
  await world.revoke(two);
  expect((await refused()).toSorted()).toEqual([one.id, two.id].toSorted());
});

test('images that no bake of ours made are blocked and never deleted, which one receipt says', async () => {
  const opened = await openForeign(database().store, world, await world.line({ deleteAfterMs: 1 }));
  const version = await world.complete(opened);
  await world.revoke(version);
  const [artifactId = ''] = artifactsOf(version).map(({ id }) => id);
  const provider = {
    code: home.provider,
    capabilities: { disable: 'blocks' },
    images: { setLaunchable: () => Promise.resolve({ presence: 'disabled' }) },
  };
  const activities = createEnforcementActivities({
    registry: world.registry,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a block asks of it
    providers: { get: () => provider as never },
  });
  for (let time = 0; time < 3; time += 1) {
    const act = { versionId: version.id, artifactId, receiptId: ulid() };
    expect(await activities.blockImage(act)).toEqual({ outcome: 'done' });
  }
  expect(await activities.enforcementWish(version.id)).toMatchObject({ wanted: 'blocked', deleteInMs: null });
  // An image asks for itself alone: thousands that each heard of all would fill a history.
  expect(await activities.enforcementWish(version.id, 'another')).toMatchObject({ places: [] });
  expect((await activities.enforcementWish(version.id, artifactId)).places).toHaveLength(1);
  const receipts = await world.registry.enforcement.receipts(project, { versionId: version.id });
  expect(receipts.map(({ action, outcome }) => [action, outcome])).toEqual([
    ['delete', 'refused'],
    ['disable', 'done'],
  ]);
  expect(receipts[0]?.detail).toContain('only images that Bakehouse baked are deleted');
});
