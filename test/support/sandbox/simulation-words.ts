/** What is said to the simulation and what it answers. */
import type { TimeoutName } from './payloads.ts';
import type { Simulation } from './simulation.ts';

/** What a fake throws to say that nobody took the task, or that its worker went silent. */
export class SimulatedTimeout extends Error {
  readonly timeout: TimeoutName;
  constructor(timeout: TimeoutName) {
    super(timeout);
    this.timeout = timeout;
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- a table of functions whose arguments come from JSON
export type Fake = (...args: any[]) => unknown;

export interface Fakes {
  readonly activities: Readonly<Record<string, Fake>>;
  /** Long activities that listen: what each does when it hears that it is cancelled, after having begun. */
  readonly cancelled?: Readonly<Record<string, Fake>>;
  /** Around every call of a fake: gives it a context, or a queue that nobody polls (throw `SimulatedTimeout`). */
  readonly around?: (step: Step, act: () => unknown) => unknown;
  /** Child workflows answered by a function instead of being run. */
  readonly children?: Readonly<Record<string, Fake>>;
}

/** An activity that a workflow asked for. */
export interface Step {
  readonly index: number;
  readonly name: string;
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly args: readonly unknown[];
  /** Run within the workflow's task: a worker that dies runs it again, and makes its arguments again. */
  readonly isLocal: boolean;
}

export type Trouble =
  /** The step fails; `final` as a defect that is not retried, else as a lost worker or answer, which is. */
  | { readonly kind: 'fail'; readonly when: 'before' | 'after'; readonly final: boolean }
  /** The root workflow is asked to cancel. */
  | { readonly kind: 'cancel'; readonly when: 'before' | 'after' }
  /** The root workflow (and its children) are terminated: they get no further turn. */
  | { readonly kind: 'terminate'; readonly when: 'before' | 'after' };

/** What a step says that fails for good. */
export const injected = {
  type: 'provider_credentials',
  message: 'injected: this step fails for good',
} as const;

export interface SimulationOptions {
  readonly fakes: Fakes | ((simulation: Simulation) => Fakes);
  readonly startAt?: string;
  /** Asked at each step's first attempt. */
  readonly trouble?: (step: Step) => Trouble | undefined;
  /** Every effect happens twice: the first answer is lost. */
  readonly everyStepTwice?: boolean;
  /** Called before each step; sends messages, moves the world. */
  readonly onStep?: (step: Step, simulation: Simulation) => void;
  /** Called when a step's effect is there and its answer is not: after so many milliseconds it comes. Nothing: at once. */
  readonly lateAnswer?: (step: Step, simulation: Simulation) => number | undefined;
  /** Turns of all workflows together before the simulation calls it a livelock. */
  readonly maxTurns?: number;
}

export interface Outcome {
  /** `waiting`: it has no timer and nothing under way, and would wait for a message for ever. */
  readonly state: 'completed' | 'failed' | 'cancelled' | 'terminated' | 'waiting';
  readonly result?: unknown;
  readonly failure?: { readonly type: string; readonly message: string };
}
