/** A release that does not end well takes back what it shared, as far as no receipt tells of it. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDistributionActivities } from '../../src/activities/distribution.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { awsPlaces, azurePlaces, type CloudPlaces } from '../support/clouds/places.ts';
import { artifactsOf, seeding } from '../support/clouds/seeded.ts';
import { useDatabase } from '../support/database.ts';

const database = useDatabase();
const run = <T>(act: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(act);

describe.each([
  { code: 'aws', open: awsPlaces, isOneImage: false },
  { code: 'azure', open: azurePlaces, isOneImage: true },
])('$code', ({ open, isOneImage }) => {
  let places: CloudPlaces;
  beforeAll(async () => {
    places = await open();
    await places.copiesTakeAMoment();
  });
  afterAll(() => places.stop());

  /** Baked in one region and copied to another one, to be shared with one reader in both. */
  async function distributed() {
    const registry = createRegistry(database().store);
    const { provider } = places;
    const { sharing } = provider;
    if (sharing === undefined) throw new Error('images are shared here');
    const distribution = createDistributionActivities({
      registry,
      providers: { all: () => [provider], get: () => provider },
    });
    const seeds = seeding(registry, places);
    const reader = places.reader();
    const shared = { launch: places.launch, shareWith: [reader] };
    const bucket = await seeds.line({
      targets: [
        { ...places.baked, ...shared },
        { ...places.copies[0], ...shared, copy: true },
      ],
    });
    const { version } = await seeds.bake(bucket);
    for (const planned of await distribution.plannedCopies(version.id)) {
      await run(() => distribution.openCopy(planned));
      await run(() => distribution.copyImage(planned));
      await run(() => distribution.closeCopy(planned.copyId));
    }
    const [first, second] = artifactsOf(await registry.versions.get(version.id));
    if (first === undefined || second === undefined) throw new Error('there are two images');
    const planned = ({ id, image: { target } }: typeof first) => ({
      versionId: version.id,
      artifactId: id,
      target,
    });
    return {
      first,
      second,
      reader,
      sharing,
      share: (one: typeof first) => distribution.shareImage(ulid(), planned(one)),
      takeBack: (one: typeof first) => distribution.takeShareBack(planned(one)),
    };
  }

  it('takes back what has no receipt, also twice', async () => {
    const { first, reader, sharing, takeBack } = await distributed();
    await sharing.write(first.image, [reader]);

    await takeBack(first);
    await takeBack(first);

    expect(await sharing.read(first.image)).toEqual([]);
  });

  it('leaves what a receipt tells of, in this region and in another one of the same image', async () => {
    const { first, second, reader, sharing, share, takeBack } = await distributed();
    await share(first);
    await sharing.write(second.image, [reader]);

    await takeBack(first);
    await takeBack(second);

    expect(await sharing.read(first.image)).toEqual([reader]);
    expect(await sharing.read(second.image)).toEqual(isOneImage ? [reader] : []);
  });
});
