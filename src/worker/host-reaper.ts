/**
 * Ends what nobody wants any more on this host: the Packer of a bake whose workflow was terminated, the machine of a test launch that
 * nobody holds. The registry says what is wanted; while it does not answer, nothing is ended.
 */
import { takeMachineAway } from '../activities/taking-away.ts';
import { claimSubjects } from '../domain/workflow-ids.ts';
import type { Logger } from '../observe/logger.ts';
import { createOutageLines, type OutageLines } from '../observe/outage-lines.ts';
import type { PackerRunner } from '../packer/runner.ts';
import type { Providers } from '../providers/provider.ts';
import type { Bakes } from '../registry/contract/bakes.ts';
import type { Claims } from '../registry/contract/claims.ts';
import type { Ledger, LedgerEntry } from '../registry/contract/ledger.ts';
import { type Looking, lookEvery } from './looking.ts';

export interface HostReaperDeps {
  readonly registry: {
    readonly bakes: Pick<Bakes, 'unwanted' | 'getAttempt' | 'withUnwantedImages'>;
    readonly claims: Pick<Claims, 'holder'>;
    readonly ledger: Pick<Ledger, 'listOpen' | 'close'>;
  };
  readonly hostId: string;
  readonly packer: Pick<PackerRunner, 'attempts'>;
  /** Ends an attempt and removes all that it left; the activity of the same name. */
  readonly discardAttempt: (attemptId: string) => Promise<void>;
  readonly providers: Providers;
  readonly log: Logger;
  readonly everyMs: number;
}

export function startHostReaper(deps: HostReaperDeps): Looking {
  const lines = createOutageLines(60_000);
  return lookEvery(
    deps.everyMs,
    () => reapHostOnce(deps, lines),
    (error) => deps.log.warn({ err: error }, 'cannot look for work that nobody wants; looking again'),
  );
}

/** One look. */
async function reapHostOnce(deps: HostReaperDeps, lines: OutageLines): Promise<void> {
  const open = await deps.registry.ledger.listOpen();
  await reapAttempts(deps, open, lines);
  await reapMachines(deps, open);
}

type Open = readonly LedgerEntry[];

async function reapAttempts(deps: HostReaperDeps, open: Open, lines: OutageLines): Promise<void> {
  const { discardAttempt, log } = deps;
  for (const attemptId of await unwantedHere(deps, open)) {
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

/** One whose workflow was closed before it came here has an open entry, and no folder; one that is over may have left images. */
async function unwantedHere(
  { registry: { bakes }, hostId, packer }: HostReaperDeps,
  open: Open,
): Promise<readonly string[]> {
  const local = new Set((await packer.attempts()).map(({ attemptId }) => attemptId));
  const noted = open.filter(({ kind }) => kind === 'packer').map(({ mark }) => mark);
  const here = new Set(await bakes.withUnwantedImages(hostId));
  for (const attemptId of await bakes.unwanted([...new Set([...local, ...noted])])) {
    if (local.has(attemptId) || (await bakes.getAttempt(attemptId)).hostId === hostId) here.add(attemptId);
  }
  return [...here];
}

/** A launch is wanted while somebody holds the test of its artifact: the claim is there before the launch and after its end. */
async function reapMachines({ registry, providers, log }: HostReaperDeps, open: Open): Promise<void> {
  for (const { id, kind, target, owner, mark } of open) {
    if (kind !== 'machine' || target === null) continue;
    const provider = providers.all().find(({ code }) => code === target.provider);
    if (provider === undefined || !provider.capabilities.hostBound) continue;
    if ((await registry.claims.holder(claimSubjects.testLaunch(owner))) !== undefined) continue;
    log.warn({ launchId: mark }, 'ending a machine that nobody wants any more');
    try {
      await takeMachineAway(provider, mark, target);
      await registry.ledger.close(id);
    } catch (error) {
      log.warn({ err: error, launchId: mark }, 'it is not gone yet; tried again');
    }
  }
}
