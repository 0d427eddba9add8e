/** The attempts of one bake, on one host or several: the registry fixes each before it begins, and only one is current at a time. */
import { proxyActivities, sleep } from '@temporalio/workflow';

import type { BakePlan, BegunAttempt, createBakeActivities } from '../activities/bakes.ts';
import type { createPackerActivities } from '../activities/packer.ts';
import type { FailureReport } from '../domain/failure.ts';
import { failing, isCancelled, timeoutOf } from './failing.ts';
import { needsFreshRun } from './fresh-run.ts';
import { ulid } from './ids.ts';
import { onHost, packerOnHost, quick, undoing } from './options.ts';
import { Undo } from './undo.ts';

type PackerActivities = ReturnType<typeof createPackerActivities>;
type BakeActivities = ReturnType<typeof createBakeActivities>;

const { beginAttempt, closeAttempt } = proxyActivities<BakeActivities>(quick);
const { attemptLeft, closeAttempt: giveUp, closeLedger } = proxyActivities<BakeActivities>(undoing);

/** Somebody killed Packer and its supervisor (a reboot): tried again so often. */
const triesAfterKills = 3;
const firstWaitMs = 5_000;
const longestWaitMs = 30_000;

export class BakeAttempts {
  readonly #enter: (phase: string, text: string) => Promise<void>;
  readonly #beginAnew: () => Promise<never>;
  readonly #undo = new Undo();
  readonly #discarded = new Set<string>();

  /** `beginAnew` continues as new: the registry knows the rest. It is called while nothing is under way. */
  constructor(enter: (phase: string, text: string) => Promise<void>, beginAnew: () => Promise<never>) {
    this.#enter = enter;
    this.#beginAnew = beginAnew;
  }

  /** Null when every source became images; else what went wrong. */
  async bake(plan: BakePlan): Promise<FailureReport | null> {
    for (let kills = 0; kills < triesAfterKills;) {
      const attempt = await this.#begin(plan);
      try {
        const outcome = await this.#bakeOn(attempt, plan);
        if (outcome !== 'killed') return outcome;
        kills++;
      } catch (error) {
        if (isCancelled(error) || !isHostLost(error)) throw error;
        // From now on the lost host's work is refused; it ends by itself at its time limit, and only then another one begins.
        await closeAttempt(attempt.id, 'lost');
      }
    }
    const message = `Packer was killed ${String(triesAfterKills)} times; look at the bake host's memory and log`;
    return { code: 'bake_failed', message };
  }

  unwind(): Promise<readonly string[]> {
    return this.#undo.unwind();
  }

  async #begin(plan: BakePlan): Promise<BegunAttempt> {
    const attemptId = ulid();
    this.#undo.add(`attempt ${attemptId}`, () => this.#discard(attemptId, plan));
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      const attempt = await beginAttempt(attemptId, plan);
      if (!('waitingFor' in attempt)) return attempt;
      await this.#enter('waiting', attempt.waitingFor);
      // A host may be waited for longer than one history can tell.
      const isLong = needsFreshRun();
      if (isLong) await this.unwind();
      // Before it begins anew: a cancellation that came meanwhile would be lost with this run.
      await sleep(attempt.forMs ?? waitMs);
      if (isLong) await this.#beginAnew();
    }
  }

  async #bakeOn(
    { id, hostId, lost }: BegunAttempt,
    plan: BakePlan,
  ): Promise<FailureReport | 'killed' | null> {
    const host = proxyActivities<PackerActivities>(onHost(hostId, plan));
    const { runPacker } = proxyActivities<PackerActivities>(packerOnHost(hostId, plan));
    const adopted = await host.adoptFinished(id);
    for (const one of lost) await host.sweepLeftovers(one);
    const isKnown = plan.sources.length > 0 || adopted.length === 0;
    const all = isKnown ? plan.sources : await host.templateSources(id);
    const missing = all.filter((source) => !adopted.includes(source));
    let failure: FailureReport | null = null;
    if (adopted.length === 0 || missing.length > 0) {
      const only = adopted.length === 0 ? [] : missing;
      await this.#enter('checking', 'checking the template');
      await host.checkTemplate(id, only);
      await this.#enter('baking', `packer on host ${hostId}`);
      const { ended, sources, failure: said } = await evenLate(() => runPacker(id, only));
      if (ended === 'lost') {
        await host.collectArtifacts(
          id,
          sources.filter((source) => source.state === 'done'),
        );
        await host.discardAttempt(id);
        await closeAttempt(id, 'ended');
        return 'killed';
      }
      await this.#enter('collecting', 'recording the images');
      failure = await host.collectArtifacts(id, sources, said);
    }
    // The attempt stays current until nothing of it is left: an undo finds it by that.
    await host.discardAttempt(id);
    await closeAttempt(id, 'ended');
    for (const one of lost) await closeLedger(one);
    return failure;
  }

  async #discard(attemptId: string, plan: BakePlan): Promise<void> {
    const { attempt, lostHostId } = await attemptLeft(plan.versionId, attemptId);
    if (lostHostId !== null) {
      throw failing('host_lost', `it was given up on its host ${lostHostId}, which sweeps it by itself`);
    }
    // One that was to be opened and never was, or that is over.
    if (attempt?.id !== attemptId) await closeLedger(attemptId);
    if (attempt === null || this.#discarded.has(attempt.id)) return;
    this.#discarded.add(attempt.id);
    const host = proxyActivities<PackerActivities>({ ...undoing, ...onHost(attempt.hostId, plan) });
    try {
      // An image that is finished is never lost sight of: it is recorded, though its version fails.
      await host.adoptFinished(attempt.id);
      await host.discardAttempt(attempt.id);
      await giveUp(attempt.id, 'ended');
    } catch (error) {
      // Fenced: its host ends and sweeps it when it is back.
      await giveUp(attempt.id, 'lost');
      throw error;
    }
  }
}

/**
 * While Temporal or the workers were away the time of the step may have run out, and Packer ended well meanwhile: asked once more, its host
 * tells what came of it.
 */
async function evenLate<T>(watch: () => Promise<T>): Promise<T> {
  try {
    return await watch();
  } catch (error) {
    if (timeoutOf(error) !== 'SCHEDULE_TO_CLOSE') throw error;
    return watch();
  }
}

/** Nobody takes its step, or the time for it is over: its deadline has passed by then. */
const isHostLost = (error: unknown) =>
  ['SCHEDULE_TO_START', 'HEARTBEAT', 'SCHEDULE_TO_CLOSE'].includes(timeoutOf(error) ?? '');
