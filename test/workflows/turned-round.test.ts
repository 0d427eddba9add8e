/**
 * The registry changes its mind at each step of a run in turn; the wake-up of it comes before that step, or overtakes its answer. Nothing
 * is lost.
 */
import { describe, expect, test } from 'vitest';

import { installationOperator } from '../../src/domain/actor.ts';
import type { WorkflowName } from '../../src/domain/events.ts';
import { arrangeWorld, deliverTo, places, type StoryOptions } from '../support/lifecycle/story.ts';
import type { Wanted, World } from '../support/lifecycle/world.ts';
import { Simulation, type Step } from '../support/sandbox.ts';

const revokeSecond = (world: World) =>
  world.revoke({
    versionId: 'base-2',
    reason: 'a hole',
    rollBack: true,
    descendants: false,
    by: installationOperator,
  });

const waking = (workflow: WorkflowName, kind: string): Wanted => ({
  action: 'wake',
  workflow,
  workflowId: `${kind}/default/base-2`,
  input: { versionId: 'base-2' },
});

interface Turn {
  readonly next: Wanted;
  readonly arrange: (world: World) => void;
  readonly turnRound: (world: World) => void;
  readonly options?: StoryOptions;
}

/** An answer this late is overtaken by whatever else goes on. */
const lateMs = 60_000;

/** The steps of a run that is left alone, or of one that is turned round at step `at`. */
async function run(
  { next, arrange, turnRound, options }: Turn,
  at?: number,
  when: 'before' | 'overtaking' = 'before',
): Promise<readonly Step[]> {
  const { world, fakes } = arrangeWorld(options);
  arrange(world);
  const turn = (step: Step, running: Simulation): boolean => {
    if (step.index !== at) return false;
    turnRound(world);
    deliverTo(running, next);
    return true;
  };
  const simulation = new Simulation({
    fakes,
    onStep(step, running) {
      if (when === 'before') turn(step, running);
    },
    lateAnswer: (step, running) => (when === 'overtaking' && turn(step, running) ? lateMs : undefined),
  });
  deliverTo(simulation, next);
  await simulation.settle();
  expect(simulation.outcomeOf(next.workflowId).state).toBe('completed');
  expect(world.imagesBehind()).toEqual([]);
  expect(world.pointersBehind()).toEqual([]);
  expect(world.claims.size).toBe(0);
  expect(world.records.all.filter((one) => one.liftedAt === null && one.materialisedAt === null)).toEqual([]);
  await simulation.dispose();
  return simulation.steps;
}

async function turnRoundAtEachStep(turn: Turn): Promise<void> {
  const { length } = await run(turn);
  expect(length).toBeGreaterThan(5);
  for (let at = 0; at < length; at++) {
    await run(turn, at);
    await run(turn, at, 'overtaking');
  }
}

describe('turned round at each step', () => {
  test('a block becomes a restore', async () => {
    await turnRoundAtEachStep({
      next: waking('retire', 'retire'),
      arrange: revokeSecond,
      turnRound: (world) => void world.records.lift('record-0'),
    });
  });

  test('a restore becomes a block', async () => {
    await turnRoundAtEachStep({
      next: waking('retire', 'retire'),
      arrange(world) {
        for (const artifact of world.artifacts.filter(({ versionId }) => versionId === 'base-2')) {
          artifact.lastKnown = 'disabled';
          artifact.recordedShares = ['acme'];
          Object.assign(world.cloud.imageAt(artifact.image) ?? {}, { isLaunchable: false, shares: [] });
        }
      },
      turnRound: revokeSecond,
    });
  });

  test('a channel that rolled back is promoted again', async () => {
    await turnRoundAtEachStep({
      next: waking('rollBackChannels', 'rollback'),
      arrange(world) {
        world.addChannel('base', 'prod', places, 'base-1', 'base-2');
        for (const { image } of world.artifacts) {
          const found = world.cloud.imageAt(image);
          if (found !== undefined) found.isLaunchable = true;
        }
        world.assign('base-prod', 'base-1');
      },
      turnRound: (world) => world.assign('base-prod', 'base-2'),
    });
  });

  test('an image that is wanted again is not deleted any more', async () => {
    const next = waking('retire', 'retire');
    const { world, fakes } = arrangeWorld({ deleteAfterMs: 3_600_000 });
    revokeSecond(world);
    const simulation = new Simulation({
      fakes,
      onStep(step, running) {
        if (step.name !== 'deleteImage') return;
        world.records.lift('record-0');
        deliverTo(running, next);
      },
    });
    deliverTo(simulation, next);
    await simulation.settle();
    expect(simulation.steps.some(({ name }) => name === 'deleteImage')).toBe(true);
    expect(world.cloud.acts.filter((act) => act.startsWith('remove'))).toEqual([]);
    expect(world.imagesBehind()).toEqual([]);
    await simulation.dispose();
  });

  test('a date is moved', async () => {
    const { length } = await runSchedule();
    for (let at = 0; at < length; at++) {
      await runSchedule(at);
      await runSchedule(at, 'overtaking');
    }
  });
});

describe('a wake-up that comes when a run is about to end', () => {
  const next = waking('scheduleRevocation', 'revocation');
  const inAnHour = { versionId: 'base-2', inMs: 3_600_000, reason: 'x', rollBack: true, descendants: false };
  const by = installationOperator;

  test('is passed on too, when another run has the work', async () => {
    const { world, fakes } = arrangeWorld();
    const record = world.revoke({ ...inAnHour, inMs: 20 * 24 * 3_600_000, by });
    let dueAt = '';
    const simulation = new Simulation({
      fakes,
      lateAnswer(step, running) {
        if (step.name !== 'passWakeOn' || dueAt !== '') return undefined;
        dueAt = new Date(running.now + 3_600_000).toISOString();
        // When the other run has read what the first wake-up was about.
        running.after(lateMs / 2, () => {
          world.records.move(record.id, dueAt);
          deliverTo(running, next);
        });
        return lateMs;
      },
    });
    simulation.start('scheduleRevocation', 'by hand', { versionId: 'base-2' });
    simulation.after(1_000, () => deliverTo(simulation, next));
    await simulation.settle();
    expect(simulation.outcomeOf(next.workflowId).result).toEqual({ heldBy: 'by hand' });
    expect(world.records.get(record.id).materialisedAt).toBe(dueAt);
    await simulation.dispose();
  });

  test('is heard while the answer to a person holds the end up', async () => {
    const { world, fakes } = arrangeWorld();
    let lifting: Promise<unknown> | undefined;
    let dueAt = '';
    const simulation = new Simulation({
      fakes,
      lateAnswer(step, running) {
        if (step.name === 'releaseClaim' && lifting === undefined) {
          lifting = running.update(next.workflowId, 'lift', { reason: 'not needed' }).catch(String);
          return lateMs;
        }
        if (step.name !== 'ownRevocations') return undefined;
        running.after(1.5 * lateMs, () => {
          ({ dueAt } = world.revoke({ ...inAnHour, by }));
          deliverTo(running, next);
        });
        return 2 * lateMs;
      },
    });
    deliverTo(simulation, next);
    await simulation.settle();
    expect(await lifting).toContain('has no revocation of its own');
    expect(dueAt).not.toBe('');
    expect(world.records.all.map(({ materialisedAt }) => materialisedAt)).toEqual([dueAt]);
    await simulation.dispose();
  });
});

/** Left alone it takes effect after 20 days; brought forward to the next hour it must not sleep until then. */
async function runSchedule(at?: number, when: 'before' | 'overtaking' = 'before'): Promise<readonly Step[]> {
  const { world, fakes } = arrangeWorld();
  const record = world.revoke({
    versionId: 'base-2',
    inMs: 20 * 24 * 3_600_000,
    reason: 'replaced',
    rollBack: true,
    descendants: true,
    by: installationOperator,
  });
  const next = waking('scheduleRevocation', 'revocation');
  let dueAt = record.dueAt;
  const turn = (step: Step, running: Simulation): boolean => {
    if (step.index !== at || Date.parse(record.dueAt) <= running.now) return false;
    dueAt = new Date(running.now + 3_600_000).toISOString();
    world.records.move(record.id, dueAt);
    deliverTo(running, next);
    return true;
  };
  const simulation = new Simulation({
    fakes,
    onStep(step, running) {
      if (when === 'before') turn(step, running);
    },
    lateAnswer: (step, running) => (when === 'overtaking' && turn(step, running) ? lateMs : undefined),
  });
  deliverTo(simulation, next);
  await simulation.settle();
  expect(simulation.outcomeOf(next.workflowId).state).toBe('completed');
  expect(world.records.get(record.id).materialisedAt).toBe(dueAt);
  await simulation.dispose();
  return simulation.steps;
}
