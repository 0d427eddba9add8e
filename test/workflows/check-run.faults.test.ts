import { expect, test } from 'vitest';

import { createClaimActivities } from '../../src/activities/claims.ts';
import { createRunTaskActivities } from '../../src/activities/run-tasks.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { RunVerdict } from '../../src/domain/run-task.ts';
import { faultSuite, injected, Simulation, type Fakes } from '../support/sandbox.ts';
import { inEnvironments } from '../support/sandbox/in-environments.ts';

const runTaskId = '01JRVNTASK0000000000000000';
const workflowId = `run/default/${runTaskId}`;

/** One question, whoever holds it, and what was told. */
class World {
  readonly claims = new Map<string, string>();
  readonly told: RunVerdict[] = [];
  state: 'pending' | 'passed' | 'failed' | 'given_up' = 'pending';
  isPlanThere = true;
}

function arrange(isPlanThere = true): { world: World; fakes: Fakes } {
  const world = new World();
  world.isPlanThere = isPlanThere;
  const activities = {
    ...createClaimActivities({
      registry: {
        claims: {
          claim: async (subject, id) => {
            const heldBy = world.claims.get(subject) ?? id;
            world.claims.set(subject, heldBy);
            return Promise.resolve(heldBy === id ? { held: true } : { held: false, heldBy });
          },
          release: async (subject) => Promise.resolve(void world.claims.delete(subject)),
          takeOver: async () => Promise.resolve(false),
        },
      },
      workflows: { latestRun: async () => Promise.resolve('open') },
    }),
    ...createRunTaskActivities({
      registry: {
        runTasks: {
          wanted: async () =>
            Promise.resolve({
              project: 'default',
              state: world.state,
              planUrl: 'https://terraform.example/plan',
              callbackUrl: 'https://terraform.example/callback',
              sealedToken: world.state === 'pending' ? Buffer.from('sealed') : null,
              onUntrackedImage: 'WARN',
            }),
          end: async (_, state) => Promise.resolve(void (world.state === 'pending' && (world.state = state))),
          standings: async () => Promise.resolve(new Map()),
        },
      },
      fetchPlan: async () =>
        world.isPlanThere
          ? Promise.resolve({})
          : Promise.reject(new Failure('provider_unavailable', 'terraform.example is away')),
      tell: async (_, token, verdict) => {
        expect(token).toBe('opened');
        return Promise.resolve(void world.told.push(verdict));
      },
      unseal: () => 'opened',
    }),
  };
  return { world, fakes: inEnvironments(activities) };
}

faultSuite<World>('checkRun', {
  workflowId,
  input: { runTaskId },
  arrange: () => arrange(),
  done(world) {
    expect(world.state).toBe('passed');
    expect(world.told.length).toBeGreaterThanOrEqual(1);
    expect(new Set(world.told.map(({ status }) => status))).toEqual(new Set(['passed']));
    expect(world.claims.size).toBe(0);
  },
  cleanSlate(world) {
    expect(world.claims.size).toBe(0);
  },
  reap: (world) => world.claims.clear(),
  undoing: ['releaseClaim', 'giveUpRunTask'],
  tidying: {
    releaseClaim(world, outcome) {
      expect(outcome).toMatchObject({ state: 'failed', failure: injected });
      expect(world.state).toBe('passed');
    },
  },
});

test('checkRun lets no run go on whose plan it never saw', async () => {
  const { world, fakes } = arrange(false);
  const simulation = new Simulation({ fakes });
  simulation.start('checkRun', workflowId, { runTaskId });
  await simulation.settle();

  expect(simulation.outcomeOf(workflowId)).toMatchObject({
    state: 'failed',
    failure: { type: 'provider_unavailable', message: expect.stringContaining('terraform.example') },
  });
  expect(world.state).toBe('given_up');
  expect(world.told).toMatchObject([
    { status: 'failed', message: expect.stringContaining('terraform.example is away') },
  ]);
  expect(world.claims.size).toBe(0);
  await simulation.dispose();
});
