/** A place that is busy with copies, more of them than it takes calls at once, blocks an image there all the same. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../support/installation.ts';
import { pace } from '../contract/aws-fixture.ts';
import { type AwsCloud, startAwsCloud } from '../support/clouds/aws.ts';
import { awsPlacesOn, type CloudPlaces } from '../support/clouds/places.ts';
import { artifactsOf, project } from '../support/clouds/seeded.ts';
import { type CloudInstallation, installBefore } from './cloud-installation.ts';

const many = 12;

let aws: AwsCloud;
let cloud: CloudPlaces;
let at: CloudInstallation;
beforeAll(async () => {
  aws = await startAwsCloud({ delays: { image: 60, visible: 20 } });
  cloud = awsPlacesOn(aws);
  const { reached } = cloud;
  if (reached.code !== 'aws') throw new Error('another cloud');
  // So many copies looked at all the time would be a test of the test cloud.
  const options = { ...reached.options, pace: { ...pace, pollMs: 1_000 } };
  at = await installBefore({ ...cloud, reached: { code: 'aws', options } });
}, 150_000);
afterAll(async () => {
  await at.stop();
  await cloud.stop();
}, 60_000);

async function baked() {
  const [away] = cloud.copies;
  const targets = [
    { ...cloud.baked, launch: cloud.launch },
    { ...away, launch: {}, copy: true },
  ];
  return at.bake(await at.line({ targets }));
}

const copied = async (versionId: string): Promise<boolean> => {
  const events = await at.registry.events.list(project, { versionId, limit: 1_000 });
  return events.some(({ kind }) => kind === 'artifact.copied');
};

it('blocks a revoked image where a dozen copies are being waited for, before any of them has ended', async () => {
  const bad = await baked();
  await at.relay();
  await at.resultOf(bad.request.workflowId);
  const others: Awaited<ReturnType<typeof baked>>[] = [];
  for (let number = 0; number < many; number += 1) others.push(await baked());
  const begun = await cloud.copiesBegun();
  await aws.setDelays({ image: 120_000 });
  await at.relay();
  await until('all copies are being made', async () => (await cloud.copiesBegun()) === begun + many, 30_000);

  await at.revoke(bad.version);
  expect(await at.retired(bad.version)).toMatchObject({ places: 2 });
  const ended = await Promise.all(others.map(({ version }) => copied(version.id)));
  expect(ended).toEqual(others.map(() => false));
  const { images } = await cloud.everything();
  const current = artifactsOf(await at.registry.versions.get(bad.version.id));
  expect(current).toHaveLength(2);
  for (const { image } of current)
    expect(images.find((one) => one.includes(image.imageId))).toMatch(/ disabled$/);
}, 180_000);
