/**
 * A small Temporal in memory: runs workflows of the real bundle in the real sandbox, answers their activities from a table of fakes, skips
 * time, and can do to each step what a network, a crash or an operator does. It keeps the server's rules for retries, time-outs,
 * cancellation, children, signals, updates and continue-as-new, as far as our workflows use them.
 */
import proto from '@temporalio/proto';

import { asFailure, toApplicationFailure } from '../../../src/activities/failures.ts';
import { Failure } from '../../../src/domain/failure.ts';
import {
  activityFailure,
  cancelledFailure,
  childFailure,
  durationMs,
  failureOf,
  fromPayload,
  fromPayloads,
  type ProtoFailure,
  readFailure,
  timeoutFailure,
  toPayload,
} from './payloads.ts';
import type { Fakes, Outcome, SimulationOptions, Step, Trouble } from './simulation-words.ts';
import { injected, SimulatedTimeout } from './simulation-words.ts';
import {
  type Command,
  initJob,
  type Job,
  openRun,
  type RunIdentity,
  type SandboxedRun,
  type Turn,
} from './vm.ts';

interface Instance {
  readonly identity: RunIdentity;
  readonly sandbox: SandboxedRun;
  readonly turns: Turn[];
  readonly parent?: { readonly instance: Instance; readonly seq: number; readonly closePolicy: number };
  readonly children: Map<number, Instance>;
  readonly cancelledActivities: Set<number>;
  readonly openTimers: Set<number>;
  state: Outcome['state'] | 'open' | 'continued';
  result?: unknown;
  failure?: ProtoFailure;
}

interface Task {
  readonly instance: Instance;
  readonly seq: number;
  readonly step: Step;
  readonly command: proto.coresdk.workflow_commands.IScheduleActivity;
  readonly scheduledAt: number;
  attempt: number;
  troubled: boolean;
}

const closePolicy = proto.coresdk.child_workflow.ParentClosePolicy;
const alreadyExists =
  proto.coresdk.child_workflow.StartChildWorkflowExecutionFailedCause
    .START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS;

export class Simulation {
  readonly steps: Step[] = [];
  readonly #options: SimulationOptions;
  readonly #fakes: Fakes;
  readonly #ready: (() => Promise<void>)[] = [];
  readonly #later: { at: number; order: number; act: () => Promise<void> }[] = [];
  readonly #latest = new Map<string, Instance>();
  readonly #all: Instance[] = [];
  readonly #updates = new Map<string, (response: UpdateAnswer) => void>();
  #root: Instance | undefined;
  #now: number;
  #runs = 0;
  #turns = 0;
  #order = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#now = Date.parse(options.startAt ?? '2026-01-01T00:00:00.000Z');
    this.#fakes = typeof options.fakes === 'function' ? options.fakes(this) : options.fakes;
  }

  /** The one clock, in milliseconds. */
  get now(): number {
    return this.#now;
  }

  /** Starts a workflow; false when its id is running. The first one started is the root: cancellations and terminations hit it. */
  start(workflowType: string, workflowId: string, input: unknown): boolean {
    if (this.#open(workflowId) !== undefined) return false;
    this.#ready.push(async () => {
      if (this.#open(workflowId) === undefined) await this.#begin({ workflowType, workflowId, input });
    });
    return true;
  }

  /** What the relay and activities do to wake: signal, or start with the signal when none is running. */
  signalWithStart(workflowType: string, workflowId: string, input: unknown, signal = 'wake'): void {
    this.#ready.push(async () => {
      const instance = this.#open(workflowId) ?? (await this.#begin({ workflowType, workflowId, input }));
      await this.#deliver(instance, { signalWorkflow: { signalName: signal, input: [] } });
    });
  }

  /** False when no run of that id is open. */
  signal(workflowId: string, name: string, ...args: readonly unknown[]): boolean {
    if (this.#open(workflowId) === undefined) return false;
    this.#ready.push(async () => {
      const instance = this.#open(workflowId);
      if (instance === undefined) return;
      await this.#deliver(instance, { signalWorkflow: { signalName: name, input: args.map(toPayload) } });
    });
    return true;
  }

  /** Resolves with the update's result, rejects with the validator's or handler's failure. Await it beside `settle`. */
  async update(workflowId: string, name: string, ...args: readonly unknown[]): Promise<unknown> {
    const id = `update-${String(this.#order++)}`;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#updates.set(id, (answer) => {
      if (answer.failure)
        reject(new Error(`${readFailure(answer.failure).type}: ${readFailure(answer.failure).message}`));
      else resolve(answer.result);
    });
    this.#ready.push(async () => {
      const instance = this.#open(workflowId);
      if (instance === undefined) return reject(new Error(`no open run of ${workflowId}`));
      const input = args.map(toPayload);
      const meta = { updateId: id, identity: 'sandbox' };
      await this.#deliver(instance, {
        doUpdate: { id, protocolInstanceId: id, name, input, meta, runValidator: true },
      });
    });
    return promise;
  }

  async query(workflowId: string, name: string): Promise<unknown> {
    const instance = this.#latest.get(workflowId);
    if (instance === undefined) throw new Error(`no run of ${workflowId}`);
    const job = { queryWorkflow: { queryId: 'q', queryType: name, arguments: [] } };
    const [command] = await instance.sandbox.activate([job], this.#now);
    return fromPayload(command?.respondToQuery?.succeeded?.response);
  }

  cancel(workflowId: string): void {
    this.#ready.push(async () => {
      const instance = this.#open(workflowId);
      if (instance !== undefined) await this.#cancelInstance(instance);
    });
  }

  /** At a virtual instant, when everything before it has happened. */
  after(delayMs: number, act: () => void): void {
    this.#at(this.#now + delayMs, async () => act());
  }

  isOpen(workflowId: string): boolean {
    return this.#open(workflowId) !== undefined;
  }

  /** Runs until nothing is left to do but to wait for messages, or (with `untilMs`) until that much virtual time has passed. */
  async settle(untilMs = Number.POSITIVE_INFINITY): Promise<void> {
    const horizon = this.#now + untilMs;
    for (;;) {
      const act = this.#ready.shift();
      if (act !== undefined) {
        await act();
        // Callers that await an update get their turn.
        await Promise.resolve();
        continue;
      }
      this.#later.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.#later[0];
      if (next === undefined || next.at > horizon) return;
      this.#later.shift();
      this.#now = Math.max(this.#now, next.at);
      await next.act();
    }
  }

  outcomeOf(workflowId: string): Outcome {
    const instance = this.#latest.get(workflowId);
    if (instance === undefined) throw new Error(`no run of ${workflowId}`);
    const { state, result, failure } = instance;
    return {
      state: state === 'open' || state === 'continued' ? 'waiting' : state,
      ...(result === undefined ? {} : { result }),
      ...(failure === undefined ? {} : { failure: readFailure(failure) }),
    };
  }

  /** How often a workflow id was begun: first runs and continued ones. */
  runsOf(workflowId: string): number {
    return this.#all.filter(({ identity }) => identity.workflowId === workflowId).length;
  }

  /** Gives every run's turns to a fresh sandbox; answers the first difference. As after a worker was killed. */
  async replay(): Promise<string | undefined> {
    for (const { identity, turns } of this.#all) {
      const sandbox = await openRun(identity);
      for (const [index, turn] of turns.entries()) {
        const commands = await sandbox.activate(turn.jobs, turn.at, true);
        const [was, is] = [JSON.stringify(turn.commands), JSON.stringify(commands)];
        if (was !== is) return `${identity.workflowId}, turn ${String(index)}: was ${was}, is ${is}`;
      }
      await sandbox.dispose();
    }
    return undefined;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#all.map(({ sandbox }) => sandbox.dispose()));
  }

  #open(workflowId: string): Instance | undefined {
    const instance = this.#latest.get(workflowId);
    return instance?.state === 'open' ? instance : undefined;
  }

  #at(at: number, act: () => Promise<void>): void {
    this.#later.push({ at, order: this.#order++, act });
  }

  async #begin(
    start: { workflowType: string; workflowId: string; input: unknown },
    parent?: Instance['parent'],
    firstRunId?: string,
  ): Promise<Instance> {
    const runId = `run-${String(++this.#runs)}`;
    const identity: RunIdentity = {
      ...start,
      runId,
      firstRunId: firstRunId ?? runId,
      startedAt: this.#now,
      ...(parent === undefined
        ? {}
        : {
            parent: {
              workflowId: parent.instance.identity.workflowId,
              runId: parent.instance.identity.runId,
            },
          }),
    };
    const instance: Instance = {
      identity,
      sandbox: await openRun(identity),
      turns: [],
      ...(parent === undefined ? {} : { parent }),
      children: new Map(),
      cancelledActivities: new Set(),
      openTimers: new Set(),
      state: 'open',
    };
    this.#root ??= instance;
    this.#latest.set(start.workflowId, instance);
    this.#all.push(instance);
    await this.#deliver(instance, initJob(identity));
    return instance;
  }

  async #deliver(instance: Instance, ...jobs: Job[]): Promise<void> {
    if (instance.state !== 'open') return;
    if (++this.#turns > (this.#options.maxTurns ?? 20_000)) throw new Error('livelock: too many turns');
    const commands = await instance.sandbox.activate(jobs, this.#now);
    instance.turns.push({ at: this.#now, jobs, commands });
    for (const command of commands) await this.#obey(instance, command);
  }

  async #obey(instance: Instance, command: Command): Promise<void> {
    if (command.scheduleActivity) return this.#schedule(instance, command.scheduleActivity, false);
    if (command.scheduleLocalActivity) return this.#schedule(instance, command.scheduleLocalActivity, true);
    const cancelling = command.requestCancelActivity ?? command.requestCancelLocalActivity;
    if (cancelling) {
      instance.cancelledActivities.add(cancelling.seq ?? 0);
    } else if (command.startTimer) {
      const seq = command.startTimer.seq ?? 0;
      instance.openTimers.add(seq);
      this.#at(this.#now + (durationMs(command.startTimer.startToFireTimeout) ?? 0), async () => {
        if (instance.openTimers.delete(seq)) await this.#deliver(instance, { fireTimer: { seq } });
      });
    } else if (command.cancelTimer) {
      instance.openTimers.delete(command.cancelTimer.seq ?? 0);
    } else if (command.startChildWorkflowExecution) {
      this.#startChild(instance, command.startChildWorkflowExecution);
    } else if (command.cancelChildWorkflowExecution) {
      const child = instance.children.get(command.cancelChildWorkflowExecution.childWorkflowSeq ?? 0);
      if (child !== undefined) this.#ready.push(() => this.#cancelInstance(child));
    } else if (command.signalExternalWorkflowExecution) {
      this.#signalExternal(instance, command.signalExternalWorkflowExecution);
    } else if (command.updateResponse) {
      const { protocolInstanceId, accepted, rejected, completed } = command.updateResponse;
      if (!accepted) {
        this.#updates.get(protocolInstanceId ?? '')?.({
          ...(rejected ? { failure: rejected } : {}),
          result: fromPayload(completed),
        });
      }
    } else if (command.completeWorkflowExecution) {
      instance.result = fromPayload(command.completeWorkflowExecution.result);
      this.#close(instance, 'completed');
    } else if (command.failWorkflowExecution) {
      instance.failure = command.failWorkflowExecution.failure ?? {};
      this.#close(instance, 'failed');
    } else if (command.cancelWorkflowExecution) {
      instance.failure = cancelledFailure();
      this.#close(instance, 'cancelled');
    } else if (command.continueAsNewWorkflowExecution) {
      const [input] = fromPayloads(command.continueAsNewWorkflowExecution.arguments);
      const { workflowType, workflowId, firstRunId } = instance.identity;
      this.#close(instance, 'continued');
      this.#ready.push(async () => {
        const next = await this.#begin({ workflowType, workflowId, input }, instance.parent, firstRunId);
        if (instance.parent) instance.parent.instance.children.set(instance.parent.seq, next);
        if (this.#root === instance) this.#root = next;
      });
    } else if (
      !command.upsertWorkflowSearchAttributes &&
      !command.modifyWorkflowProperties &&
      !command.setPatchMarker
    ) {
      throw new Error(`the simulation does not know the command ${JSON.stringify(command)}`);
    }
  }

  #schedule(
    instance: Instance,
    command: proto.coresdk.workflow_commands.IScheduleActivity,
    isLocal: boolean,
  ): void {
    const step: Step = {
      index: this.steps.length,
      name: command.activityType ?? '',
      workflowId: instance.identity.workflowId,
      taskQueue: command.taskQueue ?? '',
      args: fromPayloads(command.arguments),
      isLocal,
    };
    this.steps.push(step);
    const task: Task = {
      instance,
      seq: command.seq ?? 0,
      step,
      command,
      scheduledAt: this.#now,
      attempt: 1,
      troubled: false,
    };
    this.#ready.push(() => this.#perform(task));
  }

  async #perform(task: Task): Promise<void> {
    const { instance, step, seq } = task;
    if (instance.state !== 'open') return;
    if (instance.cancelledActivities.has(seq)) return this.#resolveCancelled(task);
    const trouble = task.troubled ? undefined : this.#options.trouble?.(step);
    const isTwice = !task.troubled && this.#options.everyStepTwice === true;
    if (!task.troubled) this.#options.onStep?.(step, this);
    task.troubled = true;

    if (trouble?.kind === 'fail' && trouble.when === 'before')
      return this.#failed(task, failureOfStep(trouble.final));
    if (trouble?.when === 'before') {
      const listens = this.#fakes.cancelled?.[step.name];
      if (listens !== undefined && trouble.kind === 'cancel') await this.#call(step);
      await this.#strike(trouble.kind);
      if (instance.state !== 'open') return;
      if (instance.cancelledActivities.has(seq)) {
        await listens?.(...step.args);
        return this.#resolveCancelled(task);
      }
    }
    let result: unknown;
    try {
      result = await this.#call(step);
      if (isTwice) result = await this.#call(step);
    } catch (error) {
      return this.#failed(task, error);
    }
    if (trouble?.when === 'after') {
      if (trouble.kind === 'fail') return this.#failed(task, failureOfStep(trouble.final));
      await this.#strike(trouble.kind);
    }
    const answer = () => this.#resolve(task, { completed: { result: toPayload(result ?? null) } });
    const lateMs = this.#options.lateAnswer?.(step, this);
    if (lateMs === undefined) return answer();
    this.#at(this.#now + lateMs, answer);
  }

  async #call(step: Step): Promise<unknown> {
    const fake = this.#fakes.activities[step.name];
    if (fake === undefined) throw new Failure('unsupported', `no fake of the activity ${step.name}`);
    // Through JSON, as over the wire: a fake never shares an object with the workflow.
    const act = (): unknown => fake(...structuredClone(step.args));
    const { around } = this.#fakes;
    const result: unknown = await (around === undefined ? act() : around(step, act));
    return result === undefined ? undefined : JSON.parse(JSON.stringify(result));
  }

  async #strike(kind: Trouble['kind']): Promise<void> {
    const root = this.#root;
    if (root === undefined || root.state !== 'open') return;
    if (kind === 'cancel') await this.#cancelInstance(root);
    else this.#close(root, 'terminated');
  }

  async #cancelInstance(instance: Instance): Promise<void> {
    await this.#deliver(instance, { cancelWorkflow: { reason: 'asked' } });
  }

  /** The server's retry rules: final types, attempts, the bound of all attempts together. */
  async #failed(task: Task, error: unknown): Promise<void> {
    const { command, attempt, step } = task;
    const isTimeout = error instanceof SimulatedTimeout;
    const application = isTimeout ? undefined : toApplicationFailure(asFailure(error), attempt);
    const failure = isTimeout ? timeoutFailure(error.timeout) : failureOf(application);
    const policy = command.retryPolicy;
    const backoff =
      durationMs(failure.applicationFailureInfo?.nextRetryDelay) ??
      Math.min(
        (durationMs(policy?.initialInterval) ?? 1000) * (policy?.backoffCoefficient ?? 2) ** (attempt - 1),
        durationMs(policy?.maximumInterval) ?? 100_000,
      );
    const bound = durationMs(command.scheduleToCloseTimeout);
    const isFinal =
      application?.nonRetryable === true ||
      (policy?.nonRetryableErrorTypes ?? []).includes(application?.type ?? '') ||
      (isTimeout && error.timeout.startsWith('SCHEDULE')) ||
      (policy?.maximumAttempts ?? 0) === attempt ||
      task.instance.cancelledActivities.has(task.seq);
    if (!isFinal && bound !== undefined && this.#now + backoff >= task.scheduledAt + bound) {
      const late = { ...timeoutFailure('SCHEDULE_TO_CLOSE'), cause: failure };
      this.#at(task.scheduledAt + bound, () => this.#resolveFailed(task, late));
    } else if (isFinal) {
      await this.#resolveFailed(task, failure);
    } else {
      if (attempt > 5000) throw new Error(`livelock: ${step.name} is retried for ever`);
      task.attempt++;
      this.#at(this.#now + backoff, () => this.#perform(task));
    }
  }

  #resolveFailed(task: Task, failure: ProtoFailure): Promise<void> {
    const { name, index } = task.step;
    return this.#resolve(task, { failed: { failure: activityFailure(name, String(index), failure) } });
  }

  #resolveCancelled(task: Task): Promise<void> {
    const { name, index } = task.step;
    return this.#resolve(task, {
      cancelled: { failure: activityFailure(name, String(index), cancelledFailure()) },
    });
  }

  #resolve(task: Task, result: proto.coresdk.activity_result.IActivityResolution): Promise<void> {
    return this.#deliver(task.instance, {
      resolveActivity: { seq: task.seq, result, isLocal: task.step.isLocal },
    });
  }

  #startChild(parent: Instance, command: proto.coresdk.workflow_commands.IStartChildWorkflowExecution): void {
    const seq = command.seq ?? 0;
    const workflowType = command.workflowType ?? '';
    const workflowId = command.workflowId ?? '';
    const [input] = fromPayloads(command.input);
    const fake = this.#fakes.children?.[workflowType];
    this.#ready.push(async () => {
      const started = (
        status: Omit<proto.coresdk.workflow_activation.IResolveChildWorkflowExecutionStart, 'seq'>,
      ) => this.#deliver(parent, { resolveChildWorkflowExecutionStart: { seq, ...status } });
      if (parent.state !== 'open') return;
      if (this.#open(workflowId) !== undefined) {
        return started({ failed: { workflowId, workflowType, cause: alreadyExists } });
      }
      if (fake !== undefined) {
        await started({ succeeded: { runId: 'fake' } });
        const result = await settled(() => fake(input, workflowId));
        return this.#deliver(parent, { resolveChildWorkflowExecution: { seq, result } });
      }
      const policy = command.parentClosePolicy ?? closePolicy.PARENT_CLOSE_POLICY_TERMINATE;
      await started({ succeeded: { runId: `run-${String(this.#runs + 1)}` } });
      const child = await this.#begin(
        { workflowType, workflowId, input },
        { instance: parent, seq, closePolicy: policy },
      );
      parent.children.set(seq, child);
    });
  }

  #signalExternal(
    from: Instance,
    command: proto.coresdk.workflow_commands.ISignalExternalWorkflowExecution,
  ): void {
    const workflowId = command.workflowExecution?.workflowId ?? command.childWorkflowId ?? '';
    this.#ready.push(async () => {
      const target = this.#open(workflowId);
      const seq = command.seq ?? 0;
      const failure = {
        message: `no open run of ${workflowId}`,
        applicationFailureInfo: { type: 'not_found' },
      };
      await this.#deliver(from, {
        resolveSignalExternalWorkflow: target === undefined ? { seq, failure } : { seq },
      });
      if (target === undefined) return;
      const signal = { signalName: command.signalName ?? '', input: command.args ?? [] };
      await this.#deliver(target, { signalWorkflow: signal });
    });
  }

  #close(instance: Instance, state: Exclude<Instance['state'], 'open' | 'waiting'>): void {
    instance.state = state;
    for (const child of instance.children.values()) {
      if (child.state !== 'open') continue;
      const policy = child.parent?.closePolicy;
      if (policy === closePolicy.PARENT_CLOSE_POLICY_ABANDON) continue;
      if (policy === closePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL) {
        this.#ready.push(() => this.#cancelInstance(child));
      } else this.#close(child, 'terminated');
    }
    if (state === 'continued') return;
    const parent = instance.parent;
    if (parent === undefined) return;
    const failure = childFailure(
      instance.identity,
      instance.failure ?? { message: state, terminatedFailureInfo: {} },
    );
    const result =
      state === 'completed'
        ? { completed: { result: toPayload(instance.result ?? null) } }
        : state === 'cancelled'
          ? { cancelled: { failure } }
          : { failed: { failure } };
    this.#ready.push(() =>
      this.#deliver(parent.instance, { resolveChildWorkflowExecution: { seq: parent.seq, result } }),
    );
  }
}

interface UpdateAnswer {
  readonly failure?: ProtoFailure;
  readonly result: unknown;
}

const failureOfStep = (isFinal: boolean) =>
  isFinal
    ? new Failure(injected.type, injected.message)
    : new Failure('provider_unavailable', 'injected: this step failed once');

async function settled(act: () => unknown): Promise<proto.coresdk.child_workflow.IChildWorkflowResult> {
  try {
    return { completed: { result: toPayload((await act()) ?? null) } };
  } catch (error) {
    return { failed: { failure: failureOf(toApplicationFailure(asFailure(error), 100)) } };
  }
}
