/**
 * Ends what nobody wants any more on this host: the Packer of a bake whose workflow was terminated, the machine of a test launch that
 * nobody holds. The registry says what is wanted; while it does not answer, nothing is ended.
 */
import { claimSubjects } from '../domain/workflow-ids.ts';
import type { Logger } from '../observe/logger.ts';
import { createOutageLines, type OutageLines } from '../observe/outage-lines.ts';
import type { PackerRunner } from '../packer/runner.ts';
import type { Providers } from '../providers/provider.ts';
import type { Bakes } from '../registry/contract/bakes.ts';
import type { Claims } from '../registry/contract/claims.ts';
import type { Ledger } from '../registry/contract/ledger.ts';
import { pause } from '../temporal/backoff.ts';

export interface HostReaperDeps {
  readonly hostId: string;
  readonly registry: {
    readonly bakes: Pick<Bakes, 'unwanted' | 'withUnwantedImages'>;
    readonly claims: Pick<Claims, 'holder'>;
    readonly ledger: Pick<Ledger, 'listOpen' | 'close'>;
  };
  readonly packer: Pick<PackerRunner, 'attempts'>;
  /** Ends an attempt and removes all that it left; the activity of the same name. */
  readonly discardAttempt: (attemptId: string) => Promise<void>;
  readonly providers: Providers;
  readonly log: Logger;
  readonly everyMs: number;
}

export interface HostReaper {
  stop(): Promise<void>;
}

export function startHostReaper(deps: HostReaperDeps): HostReaper {
  const stopping = new AbortController();
  const lines = createOutageLines(60_000);
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      try {
        await reapHostOnce(deps, lines);
      } catch (error) {
        deps.log.warn({ err: error }, 'cannot look for work that nobody wants; looking again');
      }
      await pause(deps.everyMs, stopping.signal);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}

/** One look. */
async function reapHostOnce(deps: HostReaperDeps, lines: OutageLines): Promise<void> {
  await reapAttempts(deps, lines);
  await reapMachines(deps);
}

async function reapAttempts(deps: HostReaperDeps, lines: OutageLines): Promise<void> {
  const { registry, packer, discardAttempt, hostId, log } = deps;
  const local = (await packer.attempts()).map(({ attemptId }) => attemptId);
  const unwanted = local.length === 0 ? [] : await registry.bakes.unwanted(local);
  for (const attemptId of [...unwanted, ...(await registry.bakes.withUnwantedImages(hostId))]) {
    const what = `ending and sweeping bake attempt ${attemptId}, which nobody wants any more`;
    const repeated = lines.admit(what);
    if (repeated !== undefined) log.warn({ attemptId, repeated }, what);
    try {
      await discardAttempt(attemptId);
    } catch (error) {
      const left = `not everything of bake attempt ${attemptId} is gone yet; tried again`;
      const again = lines.admit(left);
      if (again !== undefined) log.warn({ err: error, attemptId, repeated: again }, left);
    }
  }
}

/** A launch is wanted while somebody holds the test of its artifact: the claim is there before the launch and after its end. */
async function reapMachines({ registry, providers, log }: HostReaperDeps): Promise<void> {
  for (const { id, kind, target, owner, mark } of await registry.ledger.listOpen()) {
    if (kind !== 'machine' || target === null) continue;
    const provider = providers.all().find(({ code }) => code === target.provider);
    if (provider === undefined || !provider.capabilities.hostBound) continue;
    if ((await registry.claims.holder(claimSubjects.testLaunch(owner))) !== undefined) continue;
    log.warn({ launchId: mark }, 'ending a machine that nobody wants any more');
    try {
      await provider.machines.terminate(mark, target);
      for (const leftover of await provider.cleanup.leftovers(mark, [target])) {
        await provider.cleanup.sweep(leftover);
      }
      await registry.ledger.close(id);
    } catch (error) {
      log.warn({ err: error, launchId: mark }, 'it is not gone yet; tried again');
    }
  }
}
