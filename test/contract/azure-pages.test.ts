/** Lists of Azure that come in pages, the first one empty and the others of one entry: nothing is overlooked, whatever lies on a later page. */
import { ComputeManagementClient } from '@azure/arm-compute';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CallContext, CollectedImage } from '../../src/providers/provider.ts';
import { group, home, openAzure, type AzureFixture } from './azure-fixture.ts';
import { collectInput, freshMark } from './azure-steps.ts';

const context: CallContext = { signal: AbortSignal.timeout(300_000), beat: () => undefined };
let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await openAzure();
});
afterAll(() => fixture.dispose());

async function image(name: string): Promise<CollectedImage> {
  const mark = freshMark(name);
  const artifact = await fixture.artifact(mark);
  const [made] = await fixture.provider.images.collect(collectInput(mark, artifact, fixture.target), context);
  if (made === undefined) throw new Error('nothing was collected');
  return made;
}

/** Two members, and its model. */
async function scaleSet(name: string, id: string): Promise<void> {
  const { cloud, subscriptions } = fixture;
  const compute = new ComputeManagementClient(cloud.credential(), subscriptions[0].id, cloud.clientOptions);
  const virtualMachineProfile = { storageProfile: { imageReference: { id } } };
  const sku = { name: 'Standard_B1s', capacity: 2 };
  await compute.virtualMachineScaleSets.createOrUpdate(
    group,
    name,
    { location: home, sku, virtualMachineProfile },
    { updateIntervalInMs: 20 },
  );
}

it('answers the same in pages: uses, finished images, leftovers, pointers, shares, doctor', async () => {
  const { provider, cloud, target } = fixture;
  const images = [await image('one'), await image('two'), await image('three')];
  const [, second] = images;
  if (second === undefined) throw new Error('no image');
  const launchIds = ['page-1', 'page-2', 'page-3'];
  for (const [index, launchId] of launchIds.entries()) {
    const of = images[index] ?? second;
    await provider.machines.launch(
      { launchId, image: of, settings: fixture.settings, timeLimitMs: 600_000 },
      context,
    );
  }
  for (const [name, of] of [
    ['other', images[0]],
    ['mine', second],
  ] as const)
    await scaleSet(name, of?.imageId ?? '');
  const left = freshMark('left');
  await fixture.artifact(left);
  const pointer = { target, bucket: 'two', channel: 'prod' };
  const share = fixture.subscriptions[1].id;

  const look = async () => ({
    uses: (await Promise.all(images.map((one) => provider.images.uses(one)))).map(({ uses, complete }) => ({
      uses,
      complete,
    })),
    finished: await Promise.all(
      images.map(async (one) => {
        const { tags } = await provider.images.inspect(one);
        return provider.images.findFinished({ bakeId: tags['bake_id'] ?? '' }, [target]);
      }),
    ),
    launches: await Promise.all(launchIds.map((id) => provider.cleanup.leftovers(id, [target]))),
    attempt: await provider.cleanup.leftovers(left.attemptId, [target]),
    pointer: await provider.pointers?.write(pointer, second.imageId),
    shares: [await provider.sharing?.write(second, [share]), await provider.sharing?.write(second, [])],
    doctor: await provider.doctor(),
  });
  const whole = await look();
  await cloud.pages(1);
  const from = (await cloud.requests()).length;
  const paged = await look();

  expect(paged).toEqual(whole);
  expect(whole.uses.map(({ uses }) => uses.length)).toEqual([4, 4, 1]);
  expect(whole.launches.map(({ length }) => length)).toEqual([1, 1, 1]);
  expect(whole.attempt).toHaveLength(1);
  const crossed = new Set(
    (await cloud.requests()).slice(from).flatMap((one) => (one.laterPage ? [one.operation] : [])),
  );
  expect([...crossed].toSorted()).toEqual([
    'GET galleries/images',
    'GET galleries/images/versions',
    'GET resourceGroups',
    'GET resources',
    'GET virtualMachineScaleSets',
    'GET virtualMachineScaleSets/virtualMachines',
    'GET virtualMachines',
  ]);
}, 120_000);
