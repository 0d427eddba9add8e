import { describe, expect, test } from 'vitest';

import { queues } from '../../src/domain/queues.ts';
import { bakedWorld } from '../support/bake/baked.ts';
import { atFirst, tell } from '../support/bake/stories.ts';
import type { BakeWorld } from '../support/bake/world.ts';

const byArtifact = { workflow: 'testLaunch', input: { artifactId: 'artifact' } } as const;

/** Names of the checks that failed, and the machine is gone. */
async function failedChecks(arrange: (world: BakeWorld) => void): Promise<readonly string[]> {
  const world = bakedWorld();
  arrange(world);
  const { outcome } = await tell(world, byArtifact);
  expect(outcome.state).toBe('completed');
  world.expectNothingLeft();
  const [record] = world.registry.testRows.values();
  const failed = (record?.checks ?? []).filter(({ passed }) => !passed).map(({ name }) => name);
  expect(outcome.result).toMatchObject({ passed: failed.length === 0 });
  expect(record?.passed).toBe(failed.length === 0);
  return failed;
}

describe('testLaunch: built-in checks', () => {
  test('a good image passes them all', async () => {
    expect(await failedChecks(() => undefined)).toEqual([]);
  });

  test('a machine that never accepts commands did not boot, and the console says why', async () => {
    const world = bakedWorld();
    world.cloud.boot = 'stops';
    world.cloud.console = 'GRUB\nno bootable device\n';
    const { outcome } = await tell(world, byArtifact);
    const detail = 'is stopped instead of booting; last console lines:\nGRUB\nno bootable device';
    expect(outcome.result).toMatchObject({
      passed: false,
      bootMs: null,
      failed: [{ name: 'boots', detail }],
    });
    world.expectNothingLeft();
  });

  const cases: readonly (readonly [string, string, (world: BakeWorld) => void])[] = [
    ['an empty machine id', 'machine id is fresh', ({ cloud }) => Object.assign(cloud, { machineId: '' })],
    [
      'a machine id that is on the image',
      'machine id is fresh',
      ({ cloud }) =>
        cloud.images.set('base-v', { ...cloud.images.get('base-v')!, disk: `x${cloud.machineId}x` }),
    ],
    ['host keys older than the boot', 'host keys are fresh', ({ cloud }) => (cloud.hostKeyAgeS = 3600)],
    [
      "Packer's key among the authorized ones",
      'no key of the bake is authorized',
      ({ cloud }) => (cloud.authorized = 'ssh-ed25519 PUBLIC-a packer'),
    ],
    [
      "Packer's key in a forgotten file",
      'nothing of the bake is on the disk',
      ({ cloud }) => cloud.images.set('base-v', { ...cloud.images.get('base-v')!, disk: 'PUBLIC-a' }),
    ],
    ['an emergency boot', 'boot ended well', ({ cloud }) => (cloud.console = 'You are in emergency mode.')],
  ];
  test.each(cases)('%s fails "%s", and nothing else', async (_what, name, arrange) => {
    expect(await failedChecks(arrange)).toEqual([name]);
  });
});

describe("testLaunch: the line's checks", () => {
  test('a command must end with 0, a pattern must be on the console', async () => {
    const failed = await failedChecks((world) => {
      world.tests.push(
        { name: 'runs', kind: 'command', command: 'true', timeoutMs: 1000 },
        { name: 'breaks', kind: 'command', command: 'false', timeoutMs: 1000 },
        { name: 'greets', kind: 'console', pattern: '^login:' },
        { name: 'sings', kind: 'console', pattern: 'la la' },
      );
    });
    expect(failed).toEqual(['breaks', 'sings']);
  });
});

describe('testLaunch: asked for', () => {
  test.each([
    [{}, 'testLaunch: `bucket` is missing; write {"bucket":"base","version":"v1"}'],
    [{ bucket: 'base' }, 'testLaunch: `version` is missing; write {"bucket":"base","version":"v1"}'],
  ])('%j is refused at once', async (input, message) => {
    const { outcome } = await tell(bakedWorld(), { workflow: 'testLaunch', input });
    expect(outcome.failure).toEqual({ type: 'invalid_input', message });
  });

  test('an image that the version does not have is refused with those that it has', async () => {
    const input = { bucket: 'base', version: 'v1', artifact: 'other' };
    const { outcome } = await tell(bakedWorld(), { workflow: 'testLaunch', input });
    const message = 'base v1: name one image with "artifact"; there are: base-v';
    expect(outcome.failure).toEqual({ type: 'invalid_input', message });
  });

  test('without a host it waits until one comes', async () => {
    const world = bakedWorld();
    const hosts = world.registry.hostRows.splice(0);
    const { outcome } = await tell(world, {
      ...byArtifact,
      meanwhile: (sim) => sim.after(120_000, () => world.registry.hostRows.push(...hosts)),
    });
    expect(outcome.result).toMatchObject({ passed: true });
  });

  test('it waits for hours in runs of bounded history, and launches once', async () => {
    const world = bakedWorld();
    const hosts = world.registry.hostRows.splice(0);
    const { outcome, simulation, workflowId } = await tell(world, {
      ...byArtifact,
      meanwhile: (sim) => sim.after(16 * 3_600_000, () => world.registry.hostRows.push(...hosts)),
    });
    expect(simulation.runsOf(workflowId)).toBeGreaterThan(1);
    expect(outcome.result).toMatchObject({ passed: true });
    expect(world.cloud.launches).toBe(1);
    world.expectNothingLeft();
  });

  test('a host that goes away is not waited for: the test begins again on another one, and is recorded once', async () => {
    const world = bakedWorld();
    world.addHost('two');
    const goAway = atFirst('checkMachine', ({ taskQueue }) => {
      const [id = ''] = ['one', 'two'].filter((one) => taskQueue === queues.host(one));
      world.away.add(id);
    });
    const { outcome } = await tell(world, { ...byArtifact, onStep: goAway });
    expect(outcome.result).toMatchObject({ passed: true });
    expect(world.registry.testRows.size).toBe(1);
    expect(world.cloud.launches).toBe(2);
    await world.hostsTidy();
    world.expectNothingLeft();
  });

  test('the only host, back again, ends its lost machine before it launches another one', async () => {
    const world = bakedWorld();
    const [host] = world.registry.hostRows;
    const { outcome } = await tell(world, {
      ...byArtifact,
      onStep: atFirst('checkMachine', (_step, sim) => {
        world.away.add('one');
        world.registry.hostRows.splice(0);
        sim.after(600_000, () => {
          world.away.delete('one');
          if (host !== undefined) world.registry.hostRows.push(host);
        });
      }),
    });
    expect(outcome.result).toMatchObject({ passed: true });
    expect(world.registry.testRows.size).toBe(1);
    world.expectNothingLeft();
  });

  test('an image whose test takes its hosts down fails with host_lost, and its hosts tidy', async () => {
    const world = bakedWorld();
    const { outcome } = await tell(world, {
      ...byArtifact,
      onStep: atFirst('checkMachine', () => world.away.add('one')),
    });
    expect(outcome.failure?.type).toBe('host_lost');
    expect(outcome.failure?.message).toContain('lost its bake host 5 times');
    expect(world.registry.testRows.size).toBe(0);
    world.away.clear();
    await world.hostsTidy();
    world.expectNothingLeft();
  });
});
