/**
 * Takes away what closed workflows left in clouds: machines of test launches, copies of releases, leftovers of attempts whose host is gone.
 * Every worker looks; each act may run twice, also at the same time. The ledger's entry is closed only when the cloud has been seen without
 * the thing for so long that no step which nobody hears of any more can still make it.
 */
import { takeCopyAway, takeMachineAway, takeUnrecordedAway } from '../activities/taking-away.ts';
import { isFailure } from '../domain/failure.ts';
import { type Target, targetKey } from '../domain/target.ts';
import { createOutageLines } from '../observe/outage-lines.ts';
import type { Logger } from '../observe/logger.ts';
import type { Place, Providers } from '../providers/provider.ts';
import type { LedgerEntry } from '../registry/contract/ledger.ts';
import type { Registry } from '../registry/registry.ts';
import { pause } from '../temporal/backoff.ts';
import { type Looking, lookEvery } from './looking.ts';
import { isWanted } from './unwanted.ts';

export interface CloudReaperDeps {
  readonly registry: Pick<Registry, 'bakes' | 'claims' | 'ledger' | 'now' | 'requests' | 'versions'>;
  readonly providers: Providers;
  readonly log: Logger;
  readonly everyMs: number;
  /** So long a step may go on after its workflow was closed, until it hears of it and its last call has ended. */
  readonly quietMs: number;
  /** Beyond an attempt's time limit, until its host has surely ended Packer. */
  readonly graceMs: number;
}

/** What is remembered of an entry that nobody wants. Milliseconds of `performance.now`. */
interface Unwanted {
  readonly since: number;
  /** Since then every look found nothing. */
  goneSince: number | undefined;
  failures: number;
  nextAt: number;
}

/** An entry is about so many calls. */
const callsOfOne = 5;
const entriesAtOnce = 20;
const looksWhileQuiet = 3;
const firstPatienceMs = 10_000;
const longestPatienceMs = 10 * 60_000;

export function startCloudReaper(deps: CloudReaperDeps): Looking {
  const lines = createOutageLines(60_000);
  const known = new Map<string, Unwanted>();
  const warn = (error: unknown, entry?: LedgerEntry) => {
    const message = error instanceof Error ? error.message : String(error);
    const repeated = lines.admit(message);
    if (repeated === undefined) return;
    const about = entry === undefined ? {} : { entry: entry.id, kind: entry.kind };
    deps.log.warn({ err: error, repeated, ...about }, `not everything is taken away yet: ${message}`);
  };
  return lookEvery(deps.everyMs, (signal) => look(deps, known, warn, signal), warn);
}

type Warn = (error: unknown, entry?: LedgerEntry) => void;

/** One look: the places go forward alone, the entries of one place one after another. */
async function look(
  deps: CloudReaperDeps,
  known: Map<string, Unwanted>,
  warn: Warn,
  signal: AbortSignal,
): Promise<void> {
  const places = servedPlaces(deps.providers);
  const open = await deps.registry.ledger.listOpen();
  const ids = new Set(open.map(({ id }) => id));
  for (const id of known.keys()) if (!ids.has(id)) known.delete(id);

  const byPlace = new Map<string, LedgerEntry[]>();
  for (const entry of open) {
    const place = entry.kind === 'packer' ? 'attempts' : entry.target && targetKey(entry.target);
    if (place === null || (place !== 'attempts' && !places.has(place)) || entry.kind === 'credential')
      continue;
    byPlace.set(place, [...(byPlace.get(place) ?? []), entry]);
  }
  await Promise.all(
    [...byPlace].map(async ([name, entries]) => {
      const perSecond = places.get(name)?.callsPerSecond;
      const due = entries.filter(({ id }) => (known.get(id)?.nextAt ?? 0) <= performance.now());
      for (const entry of due.slice(0, entriesAtOnce)) {
        if (signal.aborted) return;
        const acted = await lookAt(deps, known, entry, warn);
        if (acted && perSecond !== undefined) await pause((callsOfOne * 1_000) / perSecond, signal);
      }
    }),
  );
}

/** Places whose machines live on bake hosts are looked after there. */
function servedPlaces(providers: Providers): ReadonlyMap<string, Place> {
  const served = providers.all().filter(({ capabilities }) => !capabilities.hostBound);
  return new Map(served.flatMap(({ places }) => places).map((place) => [targetKey(place.target), place]));
}

/** Answers whether the cloud was asked. */
async function lookAt(
  deps: CloudReaperDeps,
  known: Map<string, Unwanted>,
  entry: LedgerEntry,
  warn: Warn,
): Promise<boolean> {
  const { registry, log, graceMs, quietMs } = deps;
  const wanted = () => isWanted(registry, entry, graceMs);
  const now = performance.now();
  let unwanted = known.get(entry.id);
  try {
    if (await wanted()) {
      known.delete(entry.id);
      return false;
    }
    if (unwanted === undefined) {
      // Seen twice before anything is done: a claim that the reaper took is given back when a new run holds it.
      known.set(entry.id, { since: now, goneSince: undefined, failures: 0, nextAt: 0 });
      return false;
    }
    const found = await takeAway(deps, entry);
    unwanted.failures = 0;
    if (found === undefined) return false;
    if (found > 0) {
      unwanted.goneSince = undefined;
      log.warn({ entry: entry.id, kind: entry.kind, found }, 'ended what a closed workflow left in a cloud');
    } else {
      unwanted.goneSince ??= now;
      unwanted.nextAt = now + quietMs / looksWhileQuiet;
      if (now - unwanted.goneSince >= quietMs && !(await wanted())) await registry.ledger.close(entry.id);
    }
  } catch (error) {
    unwanted ??= { since: now, goneSince: undefined, failures: 0, nextAt: 0 };
    unwanted.goneSince = undefined;
    unwanted.failures += 1;
    const patienceMs = Math.min(firstPatienceMs * 2 ** (unwanted.failures - 1), longestPatienceMs);
    // What the cloud asks for counts from its answer, and may be longer than we would wait.
    const askedMs = isFailure(error) ? (error.retryAfterMs ?? 0) : 0;
    unwanted.nextAt = performance.now() + Math.max(patienceMs, askedMs);
    known.set(entry.id, unwanted);
    warn(error, entry);
  }
  return true;
}

/** How many things were found; undefined where it is a bake host's to look. */
async function takeAway(deps: CloudReaperDeps, entry: LedgerEntry): Promise<number | undefined> {
  const { owner, mark, target, kind } = entry;
  if (kind === 'packer') return takeAttemptAway(deps, owner);
  if (target === null) return undefined;
  if (kind === 'machine') return takeMachineAway(deps.providers.get(target.provider), mark, target);
  return takeCopyAway(deps, { copyId: mark, versionId: owner, target });
}

/** What an attempt left in clouds. An attempt that also worked where its host's disk is stays open for that host. */
async function takeAttemptAway(deps: CloudReaperDeps, attemptId: string): Promise<number | undefined> {
  const { registry, providers } = deps;
  const { versionId } = await registry.bakes.getAttempt(attemptId);
  const { requestId } = await registry.versions.get(versionId);
  if (requestId === null) return undefined;
  const { line } = await registry.requests.pins(requestId);
  const isCloud = ({ provider }: Target) => !providers.get(provider).capabilities.hostBound;
  const clouds = line.targets.filter(isCloud);
  let found = 0;
  for (const code of new Set(clouds.map(({ provider }) => provider))) {
    const { cleanup } = providers.get(code);
    const places = clouds.filter(({ provider }) => provider === code);
    for (const leftover of await cleanup.leftovers(attemptId, places)) {
      found += 1;
      await cleanup.sweep(leftover);
    }
  }
  found += await takeUnrecordedAway(deps, versionId, clouds);
  return found === 0 && clouds.length < line.targets.length ? undefined : found;
}
