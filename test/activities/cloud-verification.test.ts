/** What `verifyArtifact` promises of an image in a cloud, each difference named, with few calls and no change. */
import { DeleteTagsCommand } from '@aws-sdk/client-ec2';
import { MockActivityEnvironment } from '@temporalio/testing';
import { ulid } from 'ulid';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDistributionActivities } from '../../src/activities/distribution.ts';
import { createVerificationActivities } from '../../src/activities/verification.ts';
import type { Version } from '../../src/domain/version.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import * as aws from '../contract/aws-fixture.ts';
import { failure } from '../contract/provider-fixture.ts';
import { awsAccounts, startAwsCloud, type AwsCloud } from '../support/clouds/aws.ts';
import { awsPlacesOn, type CloudPlaces } from '../support/clouds/places.ts';
import { artifactsOf, project, seeding } from '../support/clouds/seeded.ts';
import { useDatabase } from '../support/database.ts';

const database = useDatabase();
let cloud: AwsCloud;
let places: CloudPlaces;
const theirs = awsAccounts.firstShare;
beforeAll(async () => {
  cloud = await startAwsCloud({ delays: { image: 20, running: 20, visible: 0 } });
  places = awsPlacesOn(cloud);
});
afterAll(() => cloud.stop());

const run = <T>(act: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(act);

async function released() {
  const registry = createRegistry(database().store);
  const { provider } = places;
  const providers = { all: () => [provider], get: () => provider };
  const distribution = createDistributionActivities({ registry, providers });
  const verification = createVerificationActivities({ registry, providers });
  const seeds = seeding(registry, places);
  const shared = { launch: {}, shareWith: [theirs] };
  const [away] = places.copies;
  const bucket = await seeds.line({
    targets: [
      { ...places.baked, ...shared },
      { ...away, ...shared, copy: true },
    ],
  });
  const { version } = await seeds.bake(bucket);
  const current = (): Promise<Version> => registry.versions.get(version.id);
  const verify = async (index = 0) => {
    const artifact = artifactsOf(await current())[index];
    return verification.verifyArtifact(ulid(), version.id, artifact?.id ?? '');
  };
  return {
    current,
    verify,
    copy: async () => {
      for (const planned of await distribution.plannedCopies(version.id)) {
        await run(() => distribution.openCopy(planned));
        await run(() => distribution.copyImage(planned));
        await run(() => distribution.closeCopy(planned.copyId));
      }
    },
    share: async () => {
      for (const planned of await distribution.plannedShares(version.id))
        await distribution.shareImage(ulid(), planned);
    },
    receipts: () => registry.enforcement.receipts(project, { versionId: version.id, limit: 100 }),
  };
}

it('names an empty place, a missing share and tags that are not seen, and is content when all is there', async () => {
  const { verify, copy, share, current, receipts } = await released();
  const away = `aws/${awsAccounts.owner}/${aws.away}`;
  await expect(verify()).rejects.toEqual(failure('illegal_state', 'no image in', away));
  await copy();
  await expect(verify()).rejects.toEqual(failure('illegal_state', 'not shared with', theirs));
  await share();
  await verify();
  await verify(1);
  expect((await current()).verified).toBe(true);

  const [image] = artifactsOf(await current());
  const Resources = [image?.image.imageId ?? ''];
  await cloud.ec2(theirs, aws.home).send(new DeleteTagsCommand({ Resources, Tags: [{ Key: 'version' }] }));
  await expect(verify()).rejects.toEqual(failure('illegal_state', 'version in', theirs));
  expect((await current()).verified).toBe(false);
  const ours = cloud.ec2(awsAccounts.owner, aws.home);
  await ours.send(new DeleteTagsCommand({ Resources, Tags: [{ Key: 'bake_id' }] }));
  await expect(verify()).rejects.toEqual(failure('illegal_state', 'no tag bake_id'));
  const failed = (await receipts()).filter(
    ({ action, outcome }) => action === 'verify' && outcome === 'failed',
  );
  expect(failed).toHaveLength(4);
});

it('asks three questions, again three, and changes nothing', async () => {
  const { verify, copy, share } = await released();
  await copy();
  await share();
  for (const index of [0, 1]) {
    await cloud.clearCalls();
    await verify(index);
    const asked = (await cloud.calls())
      .filter(({ service }) => service !== 'sts')
      .map(({ action }) => action);
    expect(asked).toEqual(['DescribeImages', 'DescribeImageAttribute', 'DescribeTags']);
  }
});

it('shares once what is shared already: the second time nothing is written', async () => {
  const { copy, share } = await released();
  await copy();
  await share();
  await cloud.clearCalls();
  await share();

  const written = (await cloud.calls()).filter(({ action }) => !/^(Describe|AssumeRole)/.test(action));
  expect(written).toEqual([]);
});
