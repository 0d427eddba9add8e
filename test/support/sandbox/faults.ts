/** The fault suite that every workflow has: each step failed, repeated, cancelled and cut off in turn; a clean slate after each. */
import { describe, expect, test } from 'vitest';

import { Simulation } from './simulation.ts';
import {
  type Fakes,
  type Outcome,
  type SimulationOptions,
  type Step,
  type Trouble,
} from './simulation-words.ts';

/** One run of the suite: a fresh world and what the workflow is given. */
export interface FaultCase<World> {
  readonly world: World;
  readonly fakes: Fakes | ((simulation: Simulation) => Fakes);
  readonly onStep?: NonNullable<SimulationOptions['onStep']>;
  readonly startAt?: string;
}

export interface FaultSuite<World> {
  readonly workflowId: string;
  readonly input: unknown;
  arrange(): FaultCase<World>;
  /** What must be true after it went well, whatever happened on the way. */
  done(world: World, outcome: Outcome): void | Promise<void>;
  /** What must be true after it failed, was cancelled, or was terminated and reaped. */
  cleanSlate(world: World, outcome: Outcome): void | Promise<void>;
  /** What must be true of what is left, before the reaper comes: that it can be found. */
  readonly left?: (world: World) => void;
  /** What the reaper does when Temporal says that a run is closed. Without it, terminations are not tried. */
  readonly reap?: (world: World) => void | Promise<void>;
  /**
   * Steps that themselves only tidy up, or whose failure is borne: what the outcome and the world must be when one fails for good,
   * before its effect or after it.
   */
  readonly tidying?: Readonly<Record<string, Judge<World>>>;
  /** Steps that take back or end. When all of them fail for good after another one did, what is left is found by the reaper. */
  readonly undoing?: readonly string[];
  /** Steps that go forward until they come true: one that fails for good is shown, and tried again later. */
  readonly forward?: readonly string[];
  /** Steps that are such in one place of the workflow and not in another: it goes well, or it fails and leaves a clean slate. */
  readonly either?: readonly string[];
  /** For entities that end only when told: `waiting` counts as done. */
  readonly mayWait?: boolean;
  /** How much virtual time a run gets, in milliseconds. By default until nothing is left to do. */
  readonly horizonMs?: number;
}

const moments = ['before', 'after'] as const;

type Judge<World> = (world: World, outcome: Outcome, when: (typeof moments)[number]) => void | Promise<void>;

export function faultSuite<World>(name: string, suite: FaultSuite<World>): void {
  const run = async (trouble: (step: Step) => Trouble | undefined, everyStepTwice = false) => {
    const { world, ...rest } = suite.arrange();
    const simulation = new Simulation({ ...rest, trouble, everyStepTwice });
    simulation.start(name, suite.workflowId, suite.input);
    await simulation.settle(suite.horizonMs);
    return { world, simulation, outcome: simulation.outcomeOf(suite.workflowId) };
  };
  const expectDone = async (world: World, outcome: Outcome) => {
    expect(
      suite.mayWait === true ? ['completed', 'waiting'] : ['completed'],
      describeOutcome(outcome),
    ).toContain(outcome.state);
    await suite.done(world, outcome);
  };
  /**
   * Does the same trouble to every step of a good run in turn, and `afterwards` to those that follow it; says which step it was when an
   * assertion fails.
   */
  const toEachStep = async (
    trouble: (step: Step) => Trouble,
    judge: (world: World, outcome: Outcome, step: Step) => void | Promise<void>,
    afterwards: (step: Step) => Trouble | undefined = () => undefined,
  ) => {
    const plain = await run(() => undefined);
    await plain.simulation.dispose();
    let struck = 0;
    for (const target of plain.simulation.steps) {
      const { world, outcome, simulation } = await run((step) => {
        if (step.index > target.index) return afterwards(step);
        if (step.index < target.index) return undefined;
        struck++;
        return trouble(step);
      });
      try {
        await judge(world, outcome, target);
      } catch (error) {
        const where = `step ${String(target.index)} (${target.name}) → ${describeOutcome(outcome)}`;
        const steps = simulation.steps.map((step) => step.name).join(' ');
        throw new Error(
          `${where}: ${error instanceof Error ? error.message : String(error)}\nsteps: ${steps}`,
          {
            cause: error,
          },
        );
      } finally {
        await simulation.dispose();
      }
    }
    expect(struck, 'every step was struck').toBe(plain.simulation.steps.length);
  };

  describe(`${name}: faults`, () => {
    test('goes well, and replays the same', async () => {
      const { world, outcome, simulation } = await run(() => undefined);
      await expectDone(world, outcome);
      // What is said of a step that is never taken would never be looked at.
      expect(simulation.steps.map((step) => step.name)).toEqual(
        expect.arrayContaining(Object.keys(suite.tidying ?? {})),
      );
      expect(await simulation.replay()).toBeUndefined();
      await simulation.dispose();
    });

    test('every step may run twice', async () => {
      const { world, outcome, simulation } = await run(() => undefined, true);
      await expectDone(world, outcome);
      await simulation.dispose();
    });

    const { undoing } = suite;
    if (undoing !== undefined) {
      test('a step fails for good, and then whatever takes back does too: the reaper leaves a clean slate', async () => {
        const fails: Trouble = { kind: 'fail', when: 'before', final: true };
        await toEachStep(
          () => fails,
          async (world, outcome) => {
            expect(['completed', 'failed']).toContain(outcome.state);
            suite.left?.(world);
            await suite.reap?.(world);
            if (outcome.state === 'failed') await suite.cleanSlate(world, outcome);
            else await suite.done(world, outcome);
          },
          (step) => (undoing.includes(step.name) ? fails : undefined),
        );
      });
    }

    for (const when of moments) {
      test(`a worker lost ${when} the effect of any step changes nothing`, async () => {
        await toEachStep(() => ({ kind: 'fail', when, final: false }), expectDone);
      });

      test(`a step that fails for good ${when} its effect leaves a clean slate`, async () => {
        await toEachStep(
          () => ({ kind: 'fail', when, final: true }),
          async (world, outcome, step) => {
            const tidy = suite.tidying?.[step.name];
            if (tidy !== undefined) return tidy(world, outcome, when);
            if (suite.forward?.includes(step.name)) return expectDone(world, outcome);
            if (suite.either?.includes(step.name) && outcome.state === 'completed') {
              return expectDone(world, outcome);
            }
            expect(outcome.state).toBe('failed');
            await suite.cleanSlate(world, outcome);
          },
        );
      });

      test(`cancelled ${when} the effect of any step it leaves a clean slate`, async () => {
        await toEachStep(
          () => ({ kind: 'cancel', when }),
          async (world, outcome) => {
            // Asked too late, it may have gone well.
            if (outcome.state === 'completed') return suite.done(world, outcome);
            expect(outcome.state).toBe('cancelled');
            await suite.cleanSlate(world, outcome);
          },
        );
      });

      const { reap } = suite;
      if (reap === undefined) continue;
      test(`terminated ${when} the effect of any step, the reaper leaves a clean slate`, async () => {
        await toEachStep(
          () => ({ kind: 'terminate', when }),
          async (world, outcome) => {
            expect(['terminated', 'completed']).toContain(outcome.state);
            suite.left?.(world);
            await reap(world);
            if (outcome.state === 'completed') await suite.done(world, outcome);
            else await suite.cleanSlate(world, outcome);
          },
        );
      });
    }
  });
}

const describeOutcome = ({ state, failure }: Outcome) =>
  failure === undefined ? state : `${state} (${failure.type}: ${failure.message})`;
