import { describe, expect, test } from 'vitest';

import { Failure } from '../../src/domain/failure.ts';
import { place } from '../support/bake/cloud.ts';
import { atFirst, tell } from '../support/bake/stories.ts';
import { BakeWorld, timeLimitMs } from '../support/bake/world.ts';

const typed = { workflow: 'bake', input: { bucket: 'base' } } as const;

describe('bake: asked for', () => {
  test('a person types a bucket; the request belongs to that workflow', async () => {
    const world = new BakeWorld();
    const { outcome, workflowId } = await tell(world, typed);
    expect(outcome).toMatchObject({ state: 'completed', result: { bucket: 'base', version: 'v1' } });
    expect(world.request).toMatchObject({ workflowId, state: 'succeeded', kind: 'bake' });
    world.expectNothingLeft();
  });

  test.each([
    [{}, 'bake: `bucket` is missing; write {"bucket":"base"}'],
    [['base'], 'bake: the input must be one JSON object; write {"bucket":"base"}'],
    [{ bucket: 7 }, 'bake: `bucket` must be a text; write {"bucket":"base"}'],
    [
      { bucket: 'base', variables: [] },
      'bake: `variables` must be an object of texts; write {"bucket":"base"}',
    ],
    [
      { requestId: 'r', attempt: 0 },
      'bake: `attempt` must be a whole number from 1; write {"bucket":"base"}',
    ],
    [
      { buckets: 'base' },
      'bake: `buckets` is not a field (there are requestId, attempt, bucket, project, key, variables); write {"bucket":"base"}',
    ],
  ])('%j is refused at once: %s', async (input, message) => {
    const world = new BakeWorld();
    const { outcome, steps } = await tell(world, { workflow: 'bake', input });
    expect(outcome).toEqual({ state: 'failed', failure: { type: 'invalid_input', message } });
    expect(steps).toEqual([]);
  });

  test('what another workflow holds is left to it, and named', async () => {
    const world = new BakeWorld();
    const { id } = world.registry.addRequest('bake', 'bake/default/request-1/1');
    world.registry.claimRows.set(`bake:${id}:1`, 'other');
    const { outcome } = await tell(world, {
      workflow: 'bake',
      input: { requestId: id, attempt: 1 },
      meanwhile: (simulation) => simulation.start('bake', 'other', { bucket: 'base', key: 'x' }),
    });
    expect(outcome.failure).toMatchObject({ type: 'conflict' });
    expect(outcome.failure?.message).toContain('held by the workflow other');
    expect(world.registry.claimRows.get(`bake:${id}:1`)).toBe('other');
  });

  test('what a closed workflow held is taken over', async () => {
    const world = new BakeWorld();
    const { id } = world.registry.addRequest('bake', 'gone');
    world.registry.claimRows.set(`bake:${id}:1`, 'gone');
    const { outcome } = await tell(world, { workflow: 'bake', input: { requestId: id, attempt: 1 } });
    expect(outcome.state).toBe('completed');
    world.expectNothingLeft();
  });

  test('a request that succeeded answers its version; one that failed says how to ask again', async () => {
    const world = new BakeWorld();
    await tell(world, { workflow: 'bake', input: { bucket: 'base', key: 'pipeline-7' } });
    const again = {
      workflow: 'bake',
      workflowId: 'second',
      input: { bucket: 'base', key: 'pipeline-7' },
    } as const;
    expect((await tell(world, again)).outcome).toMatchObject({ result: { version: 'v1' } });
    expect(world.packer().started).toHaveLength(1);

    world.request.state = 'failed';
    const refused = await tell(world, { ...again, input: { requestId: world.request.id, attempt: 1 } });
    expect(refused.outcome.failure?.message).toContain('ask for it again with the key pipeline-7');
  });
});

describe('bake: what goes wrong', () => {
  test('a failing source fails the version; the other one and the log are kept', async () => {
    const world = new BakeWorld(['qemu.base', 'qemu.extra']);
    world.packer().ends = 'partly';
    world.packer().failing.add('qemu.extra');
    const { outcome } = await tell(world, typed);
    const message = `qemu.extra: Script exited with non-zero exit status: 1; \`bakehouse logs ${world.request.id}\` shows all that Packer said`;
    expect(outcome.failure).toEqual({ type: 'bake_failed', message });
    expect(world.version).toMatchObject({ state: 'failed', failure: { code: 'bake_failed', message } });
    expect(world.version.builds.map(({ source, state }) => `${source} ${state}`)).toEqual([
      'qemu.base done',
      'qemu.extra failed',
    ]);
    const [attempt] = world.registry.attemptRows.keys();
    expect(world.registry.logRows.get(attempt ?? '')?.get(0)).toBe('building\n');
    world.expectNothingLeft();
  });

  test('a template that does not fit starts no Packer', async () => {
    const world = new BakeWorld();
    world.packer().templateProblem = 'the template does not declare bake_id';
    const { outcome } = await tell(world, typed);
    expect(outcome.failure).toEqual({
      type: 'invalid_input',
      message: 'the template does not declare bake_id',
    });
    expect(world.packer().started).toEqual([]);
    expect(world.version).toMatchObject({ state: 'failed' });
    world.expectNothingLeft();
  });

  test('an image that was made and could not be recorded is recorded by the undo', async () => {
    const world = new BakeWorld();
    const { bakes } = world.registry;
    const recordBuilds = bakes.recordBuilds.bind(bakes);
    let refusals = 1;
    bakes.recordBuilds = async (...args) => {
      if (refusals-- > 0) throw new Failure('illegal_state', 'not now');
      return recordBuilds(...args);
    };
    const { outcome } = await tell(world, typed);
    expect(outcome.failure).toEqual({ type: 'illegal_state', message: 'not now' });
    expect(world.cloud.images.size).toBe(1);
    world.expectNothingLeft();
  });

  test('an attempt that could not be opened leaves no ledger entry', async () => {
    const world = new BakeWorld();
    world.registry.bakes.openAttempt = async () => {
      throw new Failure('illegal_state', 'no attempt now');
    };
    await tell(world, typed);
    expect(world.registry.ledgerRows.size).toBe(1);
    world.expectNothingLeft();
  });

  test('cancelled while it waits for a host it leaves nothing', async () => {
    const world = new BakeWorld(['qemu.base'], ['one']);
    world.registry.hostRows.length = 0;
    const { outcome, workflowId } = await tell(world, {
      ...typed,
      meanwhile: (sim) => sim.after(60_000, () => sim.cancel('by-hand/bake')),
    });
    expect(workflowId).toBe('by-hand/bake');
    expect(outcome.state).toBe('cancelled');
    expect(world.request).toMatchObject({ state: 'cancelled', failure: { code: 'cancelled' } });
    expect(world.version.state).toBe('cancelled');
    world.expectNothingLeft();
  });

  test.each(['collectArtifacts', 'discardAttempt', 'closeAttempt', 'completeVersion'])(
    'cancelled at %s its finished images go, each with a receipt where it was recorded',
    async (name) => {
      const world = new BakeWorld(['qemu.base', 'qemu.extra']);
      const { outcome } = await tell(world, {
        ...typed,
        onStep: atFirst(name, (_step, sim) => sim.cancel('by-hand/bake')),
      });
      if (name === 'completeVersion') {
        expect(outcome.state).toBe('completed');
        expect(world.cloud.images.size).toBe(2);
        return;
      }
      expect(outcome.state).toBe('cancelled');
      expect(world.version.state).toBe('cancelled');
      expect([...world.cloud.images.keys()]).toEqual([]);
      const recorded = world.version.builds.flatMap(({ artifacts }) => artifacts);
      expect(recorded.map(({ lastKnown }) => lastKnown)).toEqual(recorded.map(() => 'deleted'));
      expect(world.registry.receiptRows.size).toBe(recorded.length);
      world.expectNothingLeft();
    },
  );

  test('an image that somebody uses already is not deleted with its cancelled bake, but when it is free', async () => {
    const world = new BakeWorld();
    const { images } = world.cloud.provider;
    let isUsed = true;
    images.uses = async () => ({
      complete: true,
      asOf: new Date(world.simulation?.now ?? 0).toISOString(),
      uses: isUsed ? [{ kind: 'machine', id: 'm-1', target: place }] : [],
    });
    const { outcome } = await tell(world, {
      ...typed,
      onStep: atFirst('closeAttempt', (_step, sim) => sim.cancel('by-hand/bake')),
    });
    expect(outcome.state).toBe('cancelled');
    expect(world.cloud.images.size).toBe(1);
    isUsed = false;
    await world.hostsTidy();
    expect(world.cloud.images.size).toBe(0);
  });

  test('cancelled between the ledger and the attempt, after a Packer that was killed: no entry stays open', async () => {
    const world = new BakeWorld();
    world.packer().ends = 'lost';
    const { bakes } = world.registry;
    const openAttempt = bakes.openAttempt.bind(bakes);
    let opened = 0;
    bakes.openAttempt = async (input) => {
      if (++opened > 1) throw new Failure('provider_unavailable', 'PostgreSQL does not answer');
      return openAttempt(input);
    };
    let begun = 0;
    const { outcome } = await tell(world, {
      ...typed,
      onStep: ({ name }, sim) => {
        if (name === 'beginAttempt' && ++begun === 2) sim.after(100, () => sim.cancel('by-hand/bake'));
      },
    });
    expect(outcome.state).toBe('cancelled');
    expect(world.registry.ledgerRows.size).toBe(2);
    world.expectNothingLeft();
  });

  test('a reset forgets no lost host: its time is waited out, and then another one bakes', async () => {
    const world = new BakeWorld(['qemu.base'], ['one', 'two']);
    const request = world.registry.addRequest('bake', 'by-hand/first');
    const input = { requestId: request.id, attempt: 1 };
    let lostAt = 0;
    await tell(world, {
      workflow: 'bake',
      workflowId: 'by-hand/first',
      input,
      onStep: atFirst('runPacker', ({ args: [attemptId] }, sim) => {
        world.packer('one').onStart(String(attemptId));
        world.away.add('one');
        lostAt = sim.now;
      }),
      horizonMs: 5 * 60_000,
    });
    world.registry.claimRows.clear();
    expect([...world.registry.attemptRows.values()].map(({ state }) => state)).toEqual(['lost']);

    let begunAt = 0;
    const { outcome, simulation } = await tell(world, {
      workflow: 'bake',
      workflowId: 'by-hand/second',
      input,
      onStep: atFirst('runPacker', (_step, sim) => (begunAt = sim.now)),
    });
    expect(outcome.state).toBe('completed');
    expect(simulation.steps.filter(({ name }) => name === 'runPacker')).toHaveLength(1);
    expect(begunAt - lostAt).toBeGreaterThanOrEqual(timeLimitMs);
    expect(world.packer('two').started).toHaveLength(1);
    world.expectOneImagePerSource();
  });

  test('cancelled while its host is away it ends at once; the host tidies when it is back', async () => {
    const world = new BakeWorld();
    const { outcome, simulation, workflowId } = await tell(world, {
      ...typed,
      onStep: atFirst('runPacker', ({ args: [attemptId] }, sim) => {
        world.packer().onStart(String(attemptId));
        world.away.add('one');
        sim.after(1_000, () => sim.cancel('by-hand/bake'));
      }),
    });
    expect(outcome.state).toBe('cancelled');
    expect(world.request.state).toBe('cancelled');
    expect(await simulation.query(workflowId, 'progress')).toMatchObject({ phase: 'ended' });
    expect([...world.registry.attemptRows.values()].map(({ state }) => state)).toEqual(['lost']);
    world.away.clear();
    await world.hostsTidy();
    world.expectNothingLeft();
  });
});
