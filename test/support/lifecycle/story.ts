/** A `World` inside a `Simulation`: the outbox is delivered into it, time is its time. */
import type { WorkflowStarter } from '../../../src/activities/workflow-starter.ts';
import { Simulation, type SimulationOptions } from '../sandbox.ts';
import { fakesOf, starterOf } from './activities.ts';
import { type Wanted, World, type WorldOptions } from './world.ts';

export const europe = { provider: 'fake', account: '1', region: 'eu' };
export const america = { provider: 'fake', account: '1', region: 'us' };
export const places = [europe, america];

/** `base` with two versions, `app` baked from the second one; `prod` of both points to the newest. */
export const lineage: WorldOptions['versions'] = [
  { id: 'base-1', bucket: 'base', name: 'v1', targets: places, shares: ['acme'] },
  { id: 'base-2', bucket: 'base', name: 'v2', targets: places, shares: ['acme'] },
  { id: 'app-1', bucket: 'app', name: 'v1', targets: places, parents: ['base-1'] },
  { id: 'app-2', bucket: 'app', name: 'v2', targets: places, parents: ['base-2'] },
];

export interface StoryOptions extends Partial<Omit<WorldOptions, 'now' | 'deliver'>> {
  readonly deliver?: (delivery: Wanted, simulation: Simulation) => void;
  readonly simulation?: Partial<SimulationOptions>;
  /** By default wakes workflows in the same simulation. */
  readonly starter?: (simulation: Simulation, world: World) => WorkflowStarter;
}

/** What a relay does at once with everything. */
export function deliverTo(simulation: Simulation, { action, workflow, workflowId, input }: Wanted): void {
  if (action === 'start') simulation.start(workflow, workflowId, input);
  else simulation.signalWithStart(workflow, workflowId, input);
}

export interface Story {
  readonly world: World;
  readonly simulation: Simulation;
}

/** A world with a clock of its own, to be given to `faultSuite`. */
export function arrangeWorld(options: StoryOptions = {}) {
  let simulation: Simulation | undefined;
  const start = Date.parse('2026-01-01T00:00:00.000Z');
  const world = new World({
    versions: lineage,
    ...options,
    now: () => simulation?.now ?? start,
    deliver: (delivery) => {
      if (simulation !== undefined) (options.deliver ?? deliverNothing)(delivery, simulation);
    },
  });
  const fakes = (running: Simulation) => {
    simulation = running;
    return fakesOf(world, (options.starter ?? starterOf)(running, world));
  };
  return { world, fakes };
}

export function tellStory(options: StoryOptions = {}): Story {
  const { world, fakes } = arrangeWorld({
    ...options,
    deliver: options.deliver ?? ((delivery, simulation) => deliverTo(simulation, delivery)),
  });
  return { world, simulation: new Simulation({ ...options.simulation, fakes }) };
}

const deliverNothing = (): void => undefined;

/** The reaper frees what a closed run held; a wake-up begins the next one, which must make everything true. */
export async function successor(world: World, next: Wanted): Promise<void> {
  world.claims.clear();
  world.leases.clear();
  world.cloud.unreachable.clear();
  const simulation = new Simulation({
    startAt: world.now,
    fakes: (running) => {
      world.follow(() => running.now);
      return fakesOf(world, starterOf(running));
    },
  });
  deliverTo(simulation, next);
  await simulation.settle();
  const { state, failure } = simulation.outcomeOf(next.workflowId);
  await simulation.dispose();
  if (state !== 'completed') throw new Error(`the successor ${state}: ${failure?.message ?? ''}`);
}
