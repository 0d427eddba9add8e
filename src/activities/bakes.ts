/** The registry's side of a bake: its version, its attempts, the host that runs it. */
import { setTimeout as wait } from 'node:timers/promises';

import { system } from '../domain/actor.ts';
import { Failure, type FailureReport } from '../domain/failure.ts';
import type { ImageRef } from '../domain/target.ts';
import type { Version } from '../domain/version.ts';
import type { BakeAttempt } from '../registry/contract/bakes.ts';
import type { Registry } from '../registry/registry.ts';
import type { Credentials } from './credentials.ts';
import { type HostWait, waitingFor, waitingForLost } from './host-wait.ts';
import { plannedSources, type ReadTemplate } from './planned-sources.ts';

export type { BakeAttempt };

export interface BegunAttempt extends BakeAttempt {
  /** Earlier attempts whose hosts went away: over by now, to be swept. */
  readonly lost: readonly string[];
}

/** What is still to be taken back of a bake's attempts. */
export interface AttemptLeft {
  /** Whose host is to discard it; null when none has anything. */
  readonly attempt: BakeAttempt | null;
  /** The host of the attempt that was asked for, when it went away: swept when it is back. */
  readonly lostHostId: string | null;
}

/** How long is waited for what; part of the plan, so that a bake keeps what it began with. */
export interface BakeBounds {
  /** How long a bake host may be away before another one takes over. */
  readonly hostAwayMs: number;
  /** A watcher that is silent for so long is taken for dead. */
  readonly heartbeatMs: number;
  /** Beyond an attempt's deadline, until it counts as dead wherever it ran. */
  readonly graceMs: number;
}

export interface BakeDeps {
  readonly registry: Pick<Registry, 'bakes' | 'hosts' | 'ledger' | 'lines' | 'now' | 'requests' | 'versions'>;
  readonly readTemplate: ReadTemplate;
  readonly credentials: Pick<Credentials, 'revoke'>;
  readonly bounds: BakeBounds;
}

export interface BakePlan extends BakeBounds {
  readonly versionId: string;
  readonly project: string;
  readonly bucket: string;
  readonly fingerprint: string;
  readonly state: Version['state'];
  readonly failure: FailureReport | null;
  /** Packer sources; empty (not known yet) where the template is in git and the line names none. */
  readonly sources: readonly string[];
  /** Packer builders that a host must have. */
  readonly builders: readonly string[];
  readonly timeLimitMs: number;
}

export interface BakeResult {
  readonly versionId: string;
  readonly bucket: string;
  readonly version: string;
  readonly fingerprint: string;
  readonly images: readonly (ImageRef & { readonly artifactId: string; readonly tested: boolean })[];
}

const longestRevokingMs = 5_000;

/** A host that reaches PostgreSQL and not Temporal would be chosen and lost for ever. */
const mostLostHosts = 5;

export function createBakeActivities({ registry, readTemplate, credentials, bounds }: BakeDeps) {
  const { bakes, hosts, ledger, lines, now, requests, versions } = registry;
  return {
    async openVersion(requestId: string, attempt: number): Promise<BakePlan> {
      const version = await bakes.openVersion(requestId, attempt);
      const { line, template } = await requests.pins(requestId);
      const { id: versionId, project, bucket, fingerprint, state, failure } = version;
      if (template === null) throw new Failure('illegal_state', `request ${requestId} bakes nothing`);
      const sources = await plannedSources(line, template, readTemplate, lines);
      const builders = [...new Set(sources.map((source) => source.split('.')[0] ?? source))];
      const { timeLimitMs } = line;
      return {
        versionId,
        project,
        bucket,
        fingerprint,
        state,
        failure,
        sources,
        builders,
        timeLimitMs,
        ...bounds,
      };
    },

    /**
     * The attempt that is current, whoever opened it, else a new one under the given id on the least loaded host, with its ledger
     * entry written before. While a lost host may still bake, or there is no host: what is waited for.
     */
    async beginAttempt(attemptId: string, plan: BakePlan): Promise<BegunAttempt | HostWait> {
      const { versionId, builders, timeLimitMs } = plan;
      const attempts = await bakes.attemptsOf(versionId);
      const lostAttempts = attempts.filter(({ state }) => state === 'lost');
      const lost = lostAttempts.map(({ id }) => id);
      const current = attempts.find(({ state }) => state === 'current');
      if (current !== undefined) return { ...current, lost };
      if (lost.length >= mostLostHosts) {
        throw new Failure(
          'bake_failed',
          `${String(mostLostHosts)} bake hosts went away during it; see whether they reach Temporal, and ask again`,
        );
      }
      const time = await now();
      const stillBaking = waitingForLost(lostAttempts, plan.graceMs, time);
      if (stillBaking !== undefined) return stillBaking;
      const except = lostAttempts.map(({ hostId }) => hostId);
      const host =
        (await hosts.pick({ builders, except })) ??
        (except.length === 0 ? undefined : await hosts.pick({ builders, except: [] }));
      if (host === undefined) return { waitingFor: waitingFor(builders, await hosts.list(), time) };
      await ledger.open({ id: attemptId, owner: attemptId, kind: 'packer', mark: attemptId, target: null });
      return { ...(await bakes.openAttempt({ attemptId, versionId, hostId: host.id, timeLimitMs })), lost };
    },

    /** The current attempt; of a cancelled version also the last one that ended, because its images are to go. */
    async attemptLeft(versionId: string, attemptId: string): Promise<AttemptLeft> {
      const attempts = await bakes.attemptsOf(versionId);
      const asked = attempts.find(({ id }) => id === attemptId);
      if (asked?.state === 'lost') return { attempt: null, lostHostId: asked.hostId };
      const current = attempts.find(({ state }) => state === 'current');
      if (current !== undefined) return { attempt: current, lostHostId: null };
      const { state } = await versions.get(versionId);
      const ended = state === 'cancelled' ? attempts.findLast((one) => one.state === 'ended') : undefined;
      return { attempt: ended ?? null, lostHostId: null };
    },

    async closeAttempt(attemptId: string, state: 'ended' | 'lost'): Promise<void> {
      await bakes.closeAttempt(attemptId, state);
      // The fence stands and waits for no Vault: what cannot be ended now is ended by the reaper.
      if (state !== 'lost') return;
      const revoked = credentials.revoke(attemptId).catch(() => undefined);
      await Promise.race([revoked, wait(longestRevokingMs, undefined, { ref: false })]);
    },

    /** Nothing of the attempt is left anywhere, but for credentials while Vault is away: those stay open for the reaper. */
    async closeLedger(attemptId: string): Promise<void> {
      await credentials.revoke(attemptId).catch(() => undefined);
      await ledger.closeOwner(attemptId);
    },

    async completeVersion(versionId: string): Promise<BakeResult> {
      return resultOf(await bakes.completeVersion(versionId, system('bake')));
    },

    async readVersion(versionId: string): Promise<BakeResult> {
      return resultOf(await versions.get(versionId));
    },

    /** How the bake of a request stands, for one who waits for a run that it does not own. */
    async bakeState(
      requestId: string,
      attempt: number,
    ): Promise<Pick<BakePlan, 'state' | 'failure' | 'versionId'> | null> {
      const request = await requests.byId(requestId);
      if (request.versionId === null || request.attempt !== attempt) return null;
      const { id: versionId, state, failure } = await versions.get(request.versionId);
      return { versionId, state, failure };
    },

    /** Marks the attempt's version failed or cancelled, if it was opened and still runs. */
    async endVersion(requestId: string, attempt: number, report: FailureReport): Promise<void> {
      const request = await requests.byId(requestId);
      if (request.versionId === null || request.attempt !== attempt) return;
      const { id, state } = await versions.get(request.versionId);
      if (state !== 'running') return;
      if (report.code === 'cancelled') await bakes.cancelVersion(id, report.message);
      else await bakes.failVersion(id, report);
    },
  };
}

export function resultOf({ id, bucket, name, fingerprint, builds, state }: Version): BakeResult {
  if (state !== 'complete')
    throw new Failure('illegal_state', `${bucket} ${fingerprint} is ${state}, not complete`);
  const images = builds.flatMap(({ artifacts }) =>
    artifacts.map((artifact) => ({
      ...artifact.image,
      artifactId: artifact.id,
      tested: artifact.copiedFrom !== null || artifact.test?.passed === true,
    })),
  );
  return { versionId: id, bucket, version: name, fingerprint, images };
}
