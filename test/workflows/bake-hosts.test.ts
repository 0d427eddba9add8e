import { describe, expect, test } from 'vitest';

import { atFirst, tell } from '../support/bake/stories.ts';
import { BakeWorld, timeLimitMs } from '../support/bake/world.ts';
import { SimulatedTimeout } from '../support/sandbox/simulation-words.ts';

const typed = { workflow: 'bake', input: { bucket: 'base' } } as const;

/** The host is lost when one of two sources has made its image. */
const baseIsMadeAndHostGone = (world: BakeWorld) =>
  atFirst('collectArtifacts', ({ args: [attemptId] }) => {
    const { bakeId, imageName } = [...world.registry.attemptRows.values()][0]!;
    const image = { bakeId, attemptId: String(attemptId), source: 'qemu.base', digest: 'd', disk: '' };
    world.cloud.images.set(`${imageName}-base`, image);
    world.away.add('one');
  });

describe('bake: hosts', () => {
  test('without a host it waits, says what for, and goes on when one comes', async () => {
    const world = new BakeWorld(['qemu.base'], ['one']);
    const hosts = world.registry.hostRows.splice(0);
    let stage = '';
    const { outcome, simulation } = await tell(world, {
      ...typed,
      meanwhile: (sim) =>
        sim.after(600_000, () => {
          stage = world.request.stage;
          world.registry.hostRows.push(...hosts);
        }),
    });
    expect(stage).toBe('waiting for a bake host: none is running; start one with `bakehouse bake-host`');
    expect(outcome.state).toBe('completed');
    // 5 s growing to 30 s: neither a storm nor a long sleep.
    expect(simulation.steps.filter(({ name }) => name === 'beginAttempt').length).toBeLessThan(30);
  });

  test('it waits for hours in runs of bounded history, keeps its claim, and bakes once', async () => {
    const world = new BakeWorld(['qemu.base'], ['one']);
    const hosts = world.registry.hostRows.splice(0);
    let runs = 0;
    const { outcome, simulation, workflowId } = await tell(world, {
      ...typed,
      meanwhile: (sim) =>
        sim.after(8 * 3_600_000, () => {
          runs = sim.runsOf('by-hand/bake');
          expect([...world.registry.claimRows.values()]).toEqual(['by-hand/bake']);
          world.registry.hostRows.push(...hosts);
        }),
    });
    // A server ends a run at 51,200 events; one is asked to begin anew at 4,096.
    expect(runs).toBeGreaterThan(1);
    expect(simulation.runsOf(workflowId)).toBe(runs);
    expect(outcome).toMatchObject({ state: 'completed', result: { version: 'v1' } });
    expect(world.registry.versionRows.size).toBe(1);
    world.expectNothingLeft();
  });

  test('a host that is lost is fenced, its time is waited out, and another one bakes once more', async () => {
    const world = new BakeWorld(['qemu.base'], ['one', 'two']);
    let lostAt = 0;
    let secondAt = 0;
    const { outcome, simulation } = await tell(world, {
      ...typed,
      onStep: (step, sim) => {
        if (step.name !== 'runPacker') return;
        if (step.taskQueue !== 'bake-host/one') {
          secondAt = sim.now;
          return;
        }
        // It had begun: Packer runs on there, cut off from everybody.
        const [attemptId] = step.args;
        world.packer('one').onStart(String(attemptId));
        world.away.add('one');
        lostAt = sim.now;
      },
    });
    expect(outcome.state).toBe('completed');
    expect(secondAt - lostAt).toBeGreaterThanOrEqual(timeLimitMs);
    world.expectOneImagePerSource();
    const attempts = [...world.registry.attemptRows.values()];
    expect(attempts.map(({ hostId, state }) => `${hostId} ${state}`)).toEqual(['one lost', 'two ended']);
    // What the first one left in the provider is swept by the second; its folder is swept when it is back.
    expect([...world.cloud.leftovers]).toEqual([]);
    world.away.clear();
    await world.hostsTidy();
    world.expectNothingLeft();
    expect(simulation.steps.filter(({ name }) => name === 'runPacker')).toHaveLength(2);
  });

  test('what the lost host had finished is adopted, not baked again', async () => {
    const world = new BakeWorld(['qemu.base'], ['one', 'two']);
    const { outcome } = await tell(world, {
      ...typed,
      onStep: atFirst('collectArtifacts', ({ args: [attemptId] }) => {
        const { bakeId, imageName } = [...world.registry.attemptRows.values()][0]!;
        world.cloud.images.set(imageName, {
          bakeId,
          attemptId: String(attemptId),
          source: 'qemu.base',
          digest: 'sha256:finished',
          disk: '',
        });
        world.away.add('one');
      }),
    });
    expect(outcome.state).toBe('completed');
    world.expectOneImagePerSource();
    expect(world.packer('two').started).toEqual([]);
    expect(world.version.builds[0]?.artifacts[0]?.digest).toBe('sha256:finished');
  });

  test('of two sources only the one that is missing is baked again', async () => {
    const world = new BakeWorld(['qemu.base', 'qemu.extra'], ['one', 'two']);
    const { outcome } = await tell(world, {
      ...typed,
      onStep: baseIsMadeAndHostGone(world),
    });
    expect(outcome.state).toBe('completed');
    world.expectOneImagePerSource();
    expect(world.version.builds.map(({ source }) => source).toSorted()).toEqual(['qemu.base', 'qemu.extra']);
  });

  test('a template in git tells its sources on the host: one that was adopted does not stand for all', async () => {
    const world = new BakeWorld(['qemu.base', 'qemu.extra'], ['one', 'two']);
    world.registry.template = { kind: 'git', repository: 'r', commit: 'a'.repeat(40), entry: '.' };
    const { outcome } = await tell(world, {
      ...typed,
      onStep: baseIsMadeAndHostGone(world),
    });
    expect(outcome.state).toBe('completed');
    world.expectOneImagePerSource();
    expect(world.version.builds.map(({ source }) => source).toSorted()).toEqual(['qemu.base', 'qemu.extra']);
  });

  test('a Packer that was killed is baked again on the same host, three times at most', async () => {
    const world = new BakeWorld();
    world.packer().ends = 'lost';
    const { outcome } = await tell(world, typed);
    expect(outcome.failure).toMatchObject({ type: 'bake_failed' });
    expect(outcome.failure?.message).toContain('killed 3 times');
    expect(world.packer().started).toHaveLength(3);
    world.expectNothingLeft();
    expect(world.version.state).toBe('failed');
  });
});

/** So often the time of the step runs out before its answer comes. */
function lateTimes(world: BakeWorld, times: number): void {
  const packer = world.packer();
  const watch = packer.watch.bind(packer);
  let late = 0;
  packer.watch = async (...args) => {
    const outcome = await watch(...args);
    if (late++ < times) throw new SimulatedTimeout('SCHEDULE_TO_CLOSE');
    return outcome;
  };
}

describe('bake: time that ran out while nobody could tell', () => {
  test('a Packer that ended well meanwhile is not baked again', async () => {
    const world = new BakeWorld();
    lateTimes(world, 1);
    const { outcome } = await tell(world, typed);
    expect(outcome.state).toBe('completed');
    expect(world.packer().started).toHaveLength(1);
    world.expectOneImagePerSource();
    world.expectNothingLeft();
  });

  test('a host that cannot tell in twice the time is lost, and another one bakes', async () => {
    const world = new BakeWorld(['qemu.base'], ['one', 'two']);
    lateTimes(world, 2);
    const { outcome } = await tell(world, typed);
    expect(outcome.state).toBe('completed');
    expect(world.packer('two').started).toHaveLength(1);
    world.expectOneImagePerSource();
    const states = [...world.registry.attemptRows.values()].map(({ hostId, state }) => `${hostId} ${state}`);
    expect(states).toEqual(['one lost', 'two ended']);
  });

  test('hosts that are lost again and again end the bake, with what to look at', async () => {
    const world = new BakeWorld();
    lateTimes(world, 1_000);
    const { outcome } = await tell(world, typed);
    expect(outcome.failure).toMatchObject({ type: 'bake_failed' });
    expect(outcome.failure?.message).toContain('5 bake hosts went away');
    expect(world.packer().started).toHaveLength(5);
  });
});
