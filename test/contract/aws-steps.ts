/** The steps that `aws-faults.test.ts` tries under faults: each prepares what it needs, then acts. */
import { setTimeout as delay } from 'node:timers/promises';
import { CreateLaunchTemplateCommand, EnableImageDeregistrationProtectionCommand } from '@aws-sdk/client-ec2';
import type {
  BakeMark,
  CallContext,
  CollectedImage,
  ImageProvider,
  LaunchInput,
  Machine,
} from '../../src/providers/provider.ts';
import { awsAccounts } from '../support/clouds/aws.ts';
import { artifactOf, away, home, makeImage, place } from './aws-fixture.ts';
import { leftSteps } from './aws-left-steps.ts';
import { step, type Step, type World } from './aws-step.ts';

const context: CallContext = { signal: AbortSignal.timeout(600_000), beat: () => undefined };
const mark: BakeMark = { bakeId: 'bake-1', attemptId: 'attempt-1', imageName: 'image-1' };

const made = ({ cloud }: World): Promise<string> => makeImage(cloud, mark);
const collect = (provider: ImageProvider, imageId: string) =>
  provider.images.collect(
    {
      mark,
      artifact: artifactOf({ [home]: imageId }),
      targets: [place()],
      stillCurrent: () => Promise.resolve(true),
    },
    context,
  );
async function baked(world: World): Promise<CollectedImage> {
  const [image] = await collect(world.ready, await made(world));
  return image!;
}
async function shared(world: World): Promise<CollectedImage> {
  const image = await baked(world);
  await world.ready.sharing!.write(image, [awsAccounts.firstShare]);
  return image;
}
const launchInput = (image: CollectedImage): LaunchInput => ({
  launchId: 'launch-1',
  image,
  settings: {},
  timeLimitMs: 3_600_000,
});
async function booted(provider: ImageProvider, machine: Machine): Promise<string> {
  for (;;) {
    const { state } = await provider.machines.status(machine);
    if (state !== 'starting') return state;
    await delay(10);
  }
}
async function launched(world: World): Promise<Machine> {
  return world.ready.machines.launch(launchInput(await baked(world)), context);
}
async function running(world: World): Promise<Machine> {
  const machine = await launched(world);
  await booted(world.ready, machine);
  return machine;
}
const pointer = { target: place(), bucket: 'base', channel: 'prod' };

export const steps: Readonly<Record<string, Step>> = {
  collect: step(made, async ({ tried }, imageId) => (await collect(tried, imageId)).length),
  findFinished: step(baked, async ({ tried }) => (await tried.images.findFinished(mark, [place()])).length),
  inspect: step(baked, async ({ tried }, image) => (await tried.images.inspect(image)).presence),
  disable: step(
    shared,
    async ({ tried }, image) => (await tried.images.setLaunchable(image, false)).presence,
  ),
  enable: step(
    async (world) => {
      const image = await baked(world);
      await world.ready.images.setLaunchable(image, false);
      return image;
    },
    async ({ tried }, image) => (await tried.images.setLaunchable(image, true)).presence,
  ),
  deprecate: step(
    baked,
    async ({ tried }, image) => (await tried.deprecate!(image, '2030-01-02T03:04:00.000Z')).deprecatedAt,
  ),
  'take a deprecation back': step(
    async (world) => {
      const image = await baked(world);
      await world.ready.deprecate!(image, '2030-01-02T03:04:00.000Z');
      return image;
    },
    async ({ tried }, image) => (await tried.deprecate!(image, undefined)).deprecatedAt,
  ),
  remove: step(baked, ({ tried }, image) => tried.images.remove(image)),
  uses: step(
    async (world) => {
      const image = await shared(world);
      const LaunchTemplateData = { ImageId: image.imageId };
      const request = new CreateLaunchTemplateCommand({ LaunchTemplateName: 'web', LaunchTemplateData });
      await world.cloud.ec2(awsAccounts.owner, home).send(request);
      return image;
    },
    async ({ tried }, image) => {
      const { complete, uses } = await tried.images.uses(image);
      return { complete, kinds: uses.map(({ kind }) => kind) };
    },
  ),
  share: step(baked, ({ tried }, image) => tried.sharing!.write(image, [awsAccounts.firstShare])),
  unshare: step(shared, ({ tried }, image) => tried.sharing!.write(image, [])),
  'read shares': step(shared, ({ tried }, image) => tried.sharing!.read(image)),
  'tag shares': step(shared, ({ tried }, image) => tried.sharing!.tag!(image, { bucket: 'base' })),
  copy: step(baked, async ({ tried }, source) => {
    const input = { copyId: 'copy-1', runId: 'run-1', mark, source, target: place(away), settings: {} };
    const { target } = await tried.distribution!.copy(input, context);
    return target;
  }),
  'copy into another account': step(baked, async ({ tried }, source) => {
    const target = place(home, awsAccounts.firstShare);
    const input = { copyId: 'copy-1', runId: 'run-1', mark, source, target, settings: {} };
    return (await tried.distribution!.copy(input, context)).target;
  }),
  launch: step(
    baked,
    async ({ tried }, image) => (await tried.machines.launch(launchInput(image), context)).launchId,
  ),
  boot: step(launched, ({ tried }, machine) => booted(tried, machine)),
  run: step(running, ({ tried }, machine) =>
    // How often it ran is its output.
    tried.machines.run(machine, 'echo x >>/tmp/runs; wc -l </tmp/runs; exit 3', 20_000, context, 'run-1'),
  ),
  'give a command up': step(running, async ({ tried }, machine) => {
    const giveUp = new AbortController();
    // Once it was sent and asked about.
    let beats = 0;
    const beat = () => {
      beats += 1;
      if (beats === 3) giveUp.abort(new Error('given up'));
    };
    return tried.machines
      .run(machine, 'sleep 20', 30_000, { signal: giveUp.signal, beat }, 'run-1')
      .catch((error: unknown) => {
        if (error !== giveUp.signal.reason) throw error;
        return 'given up';
      });
  }),
  console: step(running, async ({ tried }, machine) => (await tried.machines.console(machine)).length > 100),
  terminate: step(running, ({ tried }) => tried.machines.terminate('launch-1', place())),
  sweep: step(
    async (world) => {
      const ImageId = await made(world);
      const ec2 = world.cloud.ec2(awsAccounts.owner, home);
      await ec2.send(new EnableImageDeregistrationProtectionCommand({ ImageId }));
    },
    async ({ tried }) => {
      for (const leftover of await tried.cleanup.leftovers('bake-1', [place()]))
        await tried.cleanup.sweep(leftover);
      return tried.cleanup.leftovers('bake-1', [place()]);
    },
  ),
  'sweep a machine': step(launched, async ({ tried }) => {
    for (const leftover of await tried.cleanup.leftovers('launch-1', [place()]))
      await tried.cleanup.sweep(leftover);
    return tried.cleanup.leftovers('launch-1', [place()]);
  }),
  'write a pointer': step(
    baked,
    async ({ tried }, { imageId }) => (await tried.pointers!.write(pointer, imageId)) === imageId,
  ),
  'move a pointer': step(
    async (world) => {
      await world.ready.pointers!.write(pointer, await world.cloud.baseImage(home));
      return baked(world);
    },
    async ({ tried }, { imageId }) => (await tried.pointers!.write(pointer, imageId)) === imageId,
  ),
  'remove a pointer': step(
    async (world) => world.ready.pointers!.write(pointer, (await baked(world)).imageId),
    ({ tried }) => tried.pointers!.write(pointer, undefined),
  ),
  'prepare a bake': step(
    () => Promise.resolve(),
    async ({ tried }) => {
      const bake = { mark, folder: '/nowhere', targets: [place()], timeLimitMs: 3_600_000 };
      return Object.keys((await tried.prepareBake!(bake)).environment ?? {});
    },
  ),
  ...leftSteps,
};
