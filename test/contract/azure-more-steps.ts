/** Steps of `azure-images-faults.test.ts` about images that are there, channels that go, and what unfinished work left. */
import { ComputeManagementClient } from '@azure/arm-compute';
import { ResourceManagementClient } from '@azure/arm-resources';
import { expect } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { BakeMark, CallContext, CollectedImage, Leftover } from '../../src/providers/provider.ts';
import { home, markTags, type AzureFixture } from './azure-fixture.ts';
import type { Step } from './azure-faults.suite.ts';
import { makeScaleSet, publish } from './azure-made.ts';
import { collectInput, freshMark } from './azure-steps.ts';

const context: CallContext = { signal: new AbortController().signal, beat: () => undefined };

interface Made {
  readonly mark: BakeMark;
  readonly image: CollectedImage;
}

/** What is found by this mark in this place. */
interface Left {
  readonly mark: string;
  readonly target: CollectedImage['target'];
}

type Open = () => AzureFixture;

export async function imageIn(fixture: AzureFixture, mark: BakeMark): Promise<CollectedImage> {
  const { provider, target } = fixture;
  const artifact = await fixture.unbootable(mark);
  const [made] = await provider.images.collect(collectInput(mark, artifact, target), context);
  if (made === undefined) throw new Error('nothing was collected');
  return made;
}

export const copyOf = (mark: BakeMark, source: CollectedImage, place: Partial<CollectedImage['target']>) => ({
  copyId: `copy-${mark.imageName}`,
  runId: 'run-1',
  mark,
  source,
  target: { ...source.target, ...place },
  settings: {},
});

const clientOf = ({ cloud, target }: AzureFixture) =>
  new ComputeManagementClient(cloud.credential(), target.account, cloud.clientOptions);

/** In the definition of the line that the mark's image is of. */
const published = (fixture: AzureFixture, mark: BakeMark, version: string) =>
  publish(fixture, clientOf(fixture), {
    definition: mark.imageName.replace(/-[^-]+$/, ''),
    version,
    tags: markTags(mark),
    from: `of-${mark.imageName}`,
  });

/** What Packer leaves when it is killed: its temporary group, a managed image, and a version that nobody adopted. */
async function killedBake(fixture: AzureFixture, number: number): Promise<BakeMark> {
  const mark = freshMark('left');
  const { cloud, target } = fixture;
  const resources = new ResourceManagementClient(cloud.credential(), target.account, cloud.clientOptions);
  await resources.resourceGroups.createOrUpdate(`pkr-${mark.attemptId}`, {
    location: home,
    tags: markTags(mark),
  });
  await fixture.unbootable(mark);
  await published(fixture, mark, `1.0.${number}`);
  return mark;
}

const kindsLeft = [
  'resource group',
  'Microsoft.Compute/images',
  'Microsoft.Compute/galleries/images/versions',
];
const nothing = (): Promise<void> => Promise.resolve();

function kept<T>(make: () => Promise<T>): () => Promise<T> {
  let once: Promise<T> | undefined;
  return () => (once ??= make());
}

export function moreSteps(open: Open): readonly Step[] {
  let number = 0;
  const made = async (name: string): Promise<Made> => {
    const mark = freshMark(name);
    return { mark, image: await imageIn(open(), mark) };
  };
  /** Changes nothing, so one image is enough for all cases. */
  const looks = (
    name: string,
    look: (made: Made, provider: AzureFixture['provider']) => Promise<void>,
    lists: readonly string[] = [],
    make = () => made(name.replaceAll(' ', '')),
  ): Step => {
    const ready = kept(make);
    return {
      name,
      lists,
      async prepare() {
        const it = await ready();
        return { act: (provider) => look(it, provider), ends: nothing };
      },
    };
  };
  const leftovers = (mark: string, target = open().target): Promise<readonly Leftover[]> =>
    open().provider.cleanup.leftovers(mark, [target]);
  const sweeps = (name: string, kinds: readonly string[], make: () => Promise<Left>): Step => ({
    name,
    async prepare() {
      const { mark, target } = await make();
      const found = await leftovers(mark, target);
      expect(found.map(({ kind }) => kind)).toEqual(kinds);
      return {
        async act(provider) {
          for (const leftover of found) await provider.cleanup.sweep(leftover);
        },
        ends: async () => expect(await leftovers(mark, target)).toEqual([]),
      };
    },
  });
  const removes = (channel: string): Step => ({
    name: `remove the pointer ${channel}`,
    async prepare() {
      const one = await made(`gone${channel}`);
      const pointer = { target: open().target, bucket: `gone${channel}`, channel };
      await open().provider.pointers!.write(pointer, one.image.imageId);
      return {
        async act(provider) {
          // As the workflow does: until what is published is what is wanted.
          for (let look = 0; look < 4; look += 1) {
            if ((await provider.pointers!.write(pointer, undefined)) === undefined) return;
          }
          throw new Error('the pointer is still there');
        },
        ends: async () => expect(await open().provider.pointers!.read(pointer)).toBeUndefined(),
      };
    },
  });

  return [
    looks('find finished', async ({ mark, image }, provider) => {
      expect(await provider.images.findFinished(mark, [open().target])).toMatchObject([image]);
    }),
    looks('inspect', async ({ image }, provider) => {
      expect(await provider.images.inspect(image)).toMatchObject({ presence: 'present' });
    }),
    looks(
      'uses',
      async ({ image }, provider) => {
        const { complete, why = '', uses } = await provider.images.uses(image);
        // Whom nobody may ask is named, and forbids the deletion as a refusal does.
        if (!complete) throw new Failure('permission_denied', why);
        expect(uses.map(({ kind }) => kind)).toEqual(['machine', 'scale set']);
      },
      ['GET virtualMachines'],
      async () => {
        const one = await made('used');
        const launch = { settings: open().settings, timeLimitMs: 600_000 };
        await open().provider.machines.launch(
          { launchId: one.mark.imageName, image: one.image, ...launch },
          context,
        );
        await makeScaleSet(clientOf(open()), one.mark.imageName, { id: one.image.imageId });
        return one;
      },
    ),
    {
      name: 'enable again',
      async prepare() {
        const { image } = await made('enabled');
        await open().provider.images.setLaunchable(image, false);
        return {
          act: (provider) => provider.images.setLaunchable(image, true),
          async ends() {
            expect((await open().provider.images.inspect(image)).hidden).toBeUndefined();
          },
        };
      },
    },
    {
      name: 'unshare',
      async prepare() {
        const { image } = await made('unshared');
        const sharing = open().provider.sharing!;
        await sharing.write(image, [open().subscriptions[1].id]);
        return {
          act: (provider) => provider.sharing!.write(image, []),
          ends: async () => expect(await sharing.read(image)).toEqual([]),
          tidy: async () => void (await sharing.write(image, [])),
        };
      },
      lists: ['GET galleries/images'],
    },
    removes('prod'),
    removes('dev'),
    {
      name: 'adopt',
      async prepare() {
        number += 1;
        const mark = freshMark('adopted');
        const artifactId = await published(open(), mark, `1.1.${number}`);
        const artifact = { source: 'azure-arm.base', builderType: 'azure-arm', artifactId, files: [] };
        return {
          act: (provider, with_) =>
            provider.images.collect(collectInput(mark, artifact, open().target), with_),
          async ends() {
            expect(await open().provider.images.findFinished(mark, [open().target])).toHaveLength(1);
            expect(await leftovers(mark.attemptId)).toEqual([]);
          },
        };
      },
    },
    {
      name: 'delete a replica',
      async prepare() {
        const { mark, image } = await made('elsewhere');
        const input = copyOf(mark, image, { region: 'northeurope' });
        const there = await open().provider.distribution!.copy(input, context);
        return {
          act: (provider) => provider.images.remove(there),
          async ends() {
            expect(await open().provider.images.inspect(there)).toMatchObject({ presence: 'missing' });
            expect(await open().provider.images.inspect(image)).toMatchObject({ presence: 'present' });
          },
        };
      },
    },
    looks(
      'leftovers',
      async ({ mark }, provider) => {
        const found = await provider.cleanup.leftovers(mark.attemptId, [open().target]);
        expect(found.map(({ kind }) => kind)).toEqual(kindsLeft);
      },
      ['GET resourceGroups'],
      async () => {
        number += 1;
        const mark = await killedBake(open(), number);
        return { mark, image: { target: open().target, imageId: '' } };
      },
    ),
    sweeps('sweep what a killed bake left', kindsLeft, async () => {
      number += 1;
      return { mark: (await killedBake(open(), number)).attemptId, target: open().target };
    }),
    sweeps('sweep a replica that failed', ['replica'], async () => {
      const { mark, image } = await made('failed');
      const input = copyOf(mark, image, { region: 'uksouth' });
      await open().cloud.setDelays({ replicationFails: ['uksouth'] });
      await expect(open().provider.distribution!.copy(input, context)).rejects.toThrow('uksouth');
      await open().cloud.setDelays({ replicationFails: [] });
      return { mark: input.copyId, target: input.target };
    }),
  ];
}
