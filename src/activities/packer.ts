/**
 * Packer on this bake host. The activities are thin around the runner: what survives a killed worker is on the host's disk and in the
 * registry, so each one finds what an earlier try did and goes on.
 */
import { Context } from '@temporalio/activity';

import { failureKinds, type FailureReport, isFailure } from '../domain/failure.ts';
import type { AttemptOutcome, PackerRunner, SourceOutcome } from '../packer/runner.ts';
import type { Providers } from '../providers/provider.ts';
import type { BuildRecord } from '../registry/contract/bakes.ts';
import type { Registry } from '../registry/registry.ts';
import { attemptContext, attemptInput, type IssuingForAttempt } from './attempt-input.ts';
import { callContext } from './call-context.ts';
import { collectSource, finishedBuilds } from './collecting.ts';
import type { Credentials } from './credentials.ts';
import { type OwnServer, publishingEnvironment, serverFor } from './publishing.ts';
import { sayingWhy } from './saying-why.ts';
import { scanBuilds } from './secret-scan.ts';
import { takeUnrecordedAway } from './taking-away.ts';
import { removeRecordedImages } from './unwanted-images.ts';

export interface PackerDeps {
  readonly registry: Pick<
    Registry,
    'bakes' | 'enforcement' | 'ledger' | 'lines' | 'logs' | 'now' | 'requests' | 'tenancy' | 'versions'
  >;
  readonly providers: Providers;
  readonly packer: PackerRunner;
  readonly credentials: Pick<
    Credentials,
    'check' | 'checkLease' | 'issue' | 'issuePrincipal' | 'lease' | 'revokeOrLeave'
  >;
  /** Where templates publish to and read. Absent: this host was not told. */
  readonly server?: OwnServer | undefined;
  /** What Packer gets to clean up before it is killed. */
  readonly graceMs: number;
}

/** Of an outcome, what the workflow decides by. */
export interface BakedSources {
  readonly ended: AttemptOutcome['ended'];
  readonly sources: readonly SourceOutcome[];
  /** What went wrong as a whole; null when every source was made. */
  readonly failure: FailureReport | null;
}

const stageEveryMs = 2_000;
const lastWordsMs = 10_000;

export function createPackerActivities(deps: PackerDeps) {
  const { registry, providers, packer, credentials, server, graceMs } = deps;
  const { bakes, ledger, logs } = registry;
  const issuing: IssuingForAttempt = {
    secrets: credentials.issue,
    leased: credentials.lease,
    publishing: (publication) =>
      publishingEnvironment(registry, credentials, serverFor(server, publication.bucket), publication),
  };
  const checking: IssuingForAttempt = {
    secrets: credentials.check,
    async leased(wanted) {
      await credentials.checkLease(wanted);
      return undefined;
    },
    async publishing({ bucket }) {
      serverFor(server, bucket);
      return Promise.resolve({});
    },
  };

  async function sweepLeftovers(attemptId: string): Promise<void> {
    const { targets } = await attemptContext(registry, attemptId);
    for (const provider of providers.all()) {
      const ours = targets.filter((target) => target.provider === provider.code);
      if (ours.length === 0) continue;
      for (const leftover of await provider.cleanup.leftovers(attemptId, ours)) {
        await provider.cleanup.sweep(leftover);
      }
    }
  }

  /** Of a version that was closed from outside when its images were finished and not yet recorded. */
  async function takeUnrecorded(attemptId: string): Promise<void> {
    const { targets } = await attemptContext(registry, attemptId);
    const { versionId } = await bakes.getAttempt(attemptId);
    await takeUnrecordedAway(deps, versionId, targets);
  }

  /** Undefined: nothing of it is on this host. */
  const localState = async (attemptId: string) =>
    (await packer.attempts()).find((one) => one.attemptId === attemptId)?.state;

  /** What Packer said last, and what it cleaned up, is told after its end: whoever watched it has stopped, and its folder goes. */
  async function cancel(attemptId: string): Promise<void> {
    const ran = (await localState(attemptId)) === 'running';
    await packer.cancel(attemptId, graceMs);
    if (!ran) return;
    await packer
      .watch(attemptId, {
        signal: AbortSignal.timeout(lastWordsMs),
        onLog: (offset, text) => logs.append(attemptId, offset, text),
      })
      // No bake goes on for the end of its log.
      .catch(() => undefined);
  }

  return {
    /** All sources of the attempt's template, for a bake that could not know them before: the template is in git. */
    async templateSources(attemptId: string): Promise<readonly string[]> {
      return packer.templateSources(await attemptInput(deps, attemptId, []));
    },

    /**
     * The template, its variables, the parent's image, access to Vault: all that can be known to be wrong before Packer starts. A refusal
     * is the whole log of the attempt. Of one that has begun nothing is checked again: the workflow was reset, and its Packer goes on.
     */
    async checkTemplate(attemptId: string, only: readonly string[]): Promise<void> {
      if (((await localState(attemptId)) ?? 'prepared') !== 'prepared') return;
      try {
        await sayingWhy(registry.requests, await attemptContext(registry, attemptId), async () =>
          packer.validate(await attemptInput(deps, attemptId, only, checking)),
        );
      } catch (error) {
        if (isFailure(error) && !failureKinds[error.code].retryable) {
          await logs.append(attemptId, 0, `${error.message}\n`);
        }
        throw error;
      }
    },

    /**
     * Starts Packer, or finds it running or ended, and watches it. Only a cancellation that was asked for ends it: a lost server, a
     * shutdown, a pause or a reset abort this activity too, and then the next try re-attaches.
     */
    async runPacker(attemptId: string, only: readonly string[]): Promise<BakedSources> {
      const context = Context.current();
      const at = await attemptContext(registry, attemptId);
      const { requestId, attempt } = at;
      let staged = 0;
      try {
        // What runs is watched, whatever has become of its parent meanwhile.
        const local = (await localState(attemptId)) ?? 'prepared';
        if (local === 'prepared') {
          await sayingWhy(registry.requests, at, async () =>
            packer.begin(await attemptInput(deps, attemptId, only, issuing)),
          );
        }
        // It starts with what was issued before: other secrets would not fit those that are written down.
        if (local === 'starting') await packer.begin(await attemptInput(deps, attemptId, only));
        const outcome = await packer.watch(attemptId, {
          signal: context.cancellationSignal,
          onProgress({ phase, sources, logBytes }) {
            context.heartbeat({ phase, logBytes });
            if (requestId === null || Date.now() - staged < stageEveryMs) return;
            staged = Date.now();
            const now = Object.entries(sources).map(([source, state]) => `${source} ${state}`);
            // For people only: a stage that is not written does no harm.
            registry.requests
              .setStage(requestId, attempt, `packer: ${now.join(', ')}`)
              .catch(() => undefined);
          },
          onLog: (offset, text) => logs.append(attemptId, offset, text),
        });
        const { ended, sources, failure } = outcome;
        return { ended, sources, failure: failure ?? null };
      } catch (error) {
        if (context.cancellationDetails?.cancelRequested === true) await cancel(attemptId);
        throw error;
      }
    },

    /**
     * Turns what Packer made into images and records every source's outcome, failed ones too. Answers what went wrong: what Packer's run
     * said of itself (`said`), else what came of collecting.
     */
    async collectArtifacts(
      attemptId: string,
      sources: readonly SourceOutcome[],
      said: FailureReport | null = null,
    ): Promise<FailureReport | null> {
      const context = callContext();
      const at = await attemptContext(registry, attemptId);
      const builds: BuildRecord[] = [];
      for (const source of sources) {
        const isOneOfMany = sources.length > 1;
        builds.push(await collectSource({ ...at, source, isOneOfMany, providers, bakes, context }));
        context.beat({ collected: source.source });
      }
      await bakes.recordBuilds(attemptId, await scanBuilds(deps, at, builds, context));
      const failure = said ?? builds.find((build) => build.state === 'failed')?.failure ?? null;
      return failure === null ? null : { ...failure, message: `${failure.message}${whereToLook(at)}` };
    },

    /** Records what the providers hold complete of this bake, whichever attempt made it; answers the sources, which need no second bake. */
    async adoptFinished(attemptId: string): Promise<readonly string[]> {
      if (!(await bakes.isCurrent(attemptId))) return [];
      const at = await attemptContext(registry, attemptId);
      const builds = await finishedBuilds(at, providers);
      if (builds.length > 0) {
        await bakes.recordBuilds(attemptId, await scanBuilds(deps, at, builds, callContext()));
      }
      return builds.map(({ source }) => source);
    },

    /** What a lost attempt left in the providers. It cannot make more: its time is over. */
    async sweepLeftovers(attemptId: string): Promise<void> {
      await sweepLeftovers(attemptId);
    },

    /**
     * Ends Packer if it runs, and removes all that the attempt left here and in the providers: finished images, too, that nobody can
     * use any more because their version was cancelled. Its log stays.
     */
    async discardAttempt(attemptId: string): Promise<void> {
      await cancel(attemptId);
      await sweepLeftovers(attemptId);
      const at = await attemptContext(registry, attemptId);
      await takeUnrecorded(attemptId);
      await packer.sweepLocal(attemptId);
      await sayingWhy(registry.requests, at, () => credentials.revokeOrLeave(attemptId));
      await ledger.closeOwner(attemptId);
      // Last: one that is in use may stay for months, and the registry knows it.
      await removeRecordedImages(deps, at);
    },
  };
}

const whereToLook = ({ requestId }: { readonly requestId: string | null }) =>
  requestId === null ? '' : `; \`bakehouse logs ${requestId}\` shows all that Packer said`;
