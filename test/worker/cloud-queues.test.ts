/** Which queues a process serves in its places, and how much at a time. */
import { expect, it } from 'vitest';
import { loadTools } from '../../src/config/tools.ts';
import { supervisor } from '../../src/packer/supervisor/supervisor.ts';
import { createAwsProvider } from '../../src/providers/aws/index.ts';
import { createQemuProvider } from '../../src/providers/qemu/index.ts';
import { cloudQueues } from '../../src/worker/cloud-queues.ts';
import { BakeWorld } from '../support/bake/world.ts';

const id = '111122223333';
const regions = ['eu-central-1', 'us-west-2'];
const all = [
  createAwsProvider({ accounts: [{ id, regions, credentials: { kind: 'default' }, callsPerSecond: 5 }] }),
  createQemuProvider({ storeDir: '/nowhere', tools: loadTools(), supervise: supervisor }),
];
const deps = {
  registry: new BakeWorld().asRegistry(),
  providers: { all: () => all, get: () => all[0]! },
};

it('has two of each place in a cloud, so that what waits there takes no slot of a call', () => {
  const served = cloudQueues(deps, 'workers');

  expect(served.map(({ queue, slots, perSecond }) => [queue, slots, perSecond])).toEqual(
    regions.flatMap((region) => [
      [`cloud/aws/${id}/${region}`, 10, 5],
      [`cloud/aws/${id}/${region}/waits`, 100, 5],
    ]),
  );
  for (const { activities } of served)
    expect(Object.keys(activities)).toEqual(
      expect.arrayContaining(['copyImage', 'sweepCopy', 'blockImage', 'awaitBoot', 'checkMachine']),
    );
});

it('has one of the local store, where nothing waits', () => {
  expect(cloudQueues(deps, 'bake hosts').map(({ queue }) => queue)).toEqual(['cloud/qemu/local/local']);
});
