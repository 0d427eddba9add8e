/** Runs one workflow of the bake world to its end and hands over what is to be asserted. */
import { Simulation, type SimulationOptions, type Step } from '../sandbox.ts';
import type { BakeWorld } from './world.ts';

export interface Story {
  readonly workflow: 'bake' | 'testLaunch' | 'release';
  readonly workflowId?: string;
  readonly input: unknown;
  readonly onStep?: (step: Step, simulation: Simulation) => void;
  readonly trouble?: NonNullable<SimulationOptions['trouble']>;
  readonly meanwhile?: (simulation: Simulation) => void;
  readonly horizonMs?: number;
}

export async function tell(world: BakeWorld, story: Story) {
  const {
    workflow,
    workflowId = `by-hand/${workflow}`,
    input,
    onStep,
    trouble,
    meanwhile,
    horizonMs,
  } = story;
  const simulation = new Simulation({
    fakes: world.fakes,
    startAt: new Date().toISOString(),
    ...(onStep === undefined ? {} : { onStep }),
    ...(trouble === undefined ? {} : { trouble }),
  });
  simulation.start(workflow, workflowId, input);
  meanwhile?.(simulation);
  await simulation.settle(horizonMs);
  const outcome = simulation.outcomeOf(workflowId);
  const steps = simulation.steps.map(({ name }) => name);
  return { outcome, steps, simulation, workflowId };
}

/** Does something at the first step of that name. */
export function atFirst(name: string, act: (step: Step, simulation: Simulation) => void) {
  let done = false;
  return (step: Step, simulation: Simulation): void => {
    if (done || step.name !== name) return;
    done = true;
    act(step, simulation);
  };
}
