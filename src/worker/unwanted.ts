/**
 * Whether anybody still wants what a ledger entry stands for. Only the registry is asked: a claim is there as long as its workflow runs,
 * and the reaper takes it away once Temporal has said that the workflow is closed. What was fenced before, no late step can still use.
 */
import { claimSubjects } from '../domain/workflow-ids.ts';
import type { Bakes } from '../registry/contract/bakes.ts';
import type { Claims } from '../registry/contract/claims.ts';
import type { LedgerEntry } from '../registry/contract/ledger.ts';
import type { Requests } from '../registry/contract/requests.ts';
import type { Versions } from '../registry/contract/versions.ts';

export interface WantedBy {
  readonly bakes: Pick<Bakes, 'getAttempt' | 'unwanted'>;
  readonly claims: Pick<Claims, 'holder'>;
  readonly requests: Pick<Requests, 'byId'>;
  readonly versions: Pick<Versions, 'get'>;
  now(): Promise<string>;
}

/** `graceMs`: beyond an attempt's time limit, until its host has surely ended Packer. */
export async function isWanted(registry: WantedBy, entry: LedgerEntry, graceMs: number): Promise<boolean> {
  const { kind, owner } = entry;
  if (kind === 'machine')
    return (await registry.claims.holder(claimSubjects.testLaunch(owner))) !== undefined;
  if (kind === 'image') return isVersionWorkedOn(registry, owner);
  // Credentials have a reaper of their own.
  return kind === 'credential' || isAttemptWanted(registry, owner, graceMs);
}

/** While its request is open a copy may still be recorded; later, a workflow that holds the request is undoing. */
async function isVersionWorkedOn(
  { claims, requests, versions }: WantedBy,
  versionId: string,
): Promise<boolean> {
  const { requestId } = await versions.get(versionId);
  // Nobody else makes copies.
  if (requestId === null) return true;
  const request = await requests.byId(requestId);
  if (request.state === 'open' && request.versionId === versionId) return true;
  // Which attempt made this version is not told; an attempt before may hold its claim for a moment more.
  for (let attempt = 1; attempt <= request.attempt; attempt += 1) {
    for (const subject of [
      claimSubjects.release(requestId, attempt),
      claimSubjects.bake(requestId, attempt),
    ]) {
      if ((await claims.holder(subject)) !== undefined) return true;
    }
  }
  return false;
}

/** Its host ends it and sweeps. One that does not come back has lost it when its time is over: until then Packer may make more. */
async function isAttemptWanted(registry: WantedBy, attemptId: string, graceMs: number): Promise<boolean> {
  if ((await registry.bakes.unwanted([attemptId])).length === 0) return true;
  const { deadline, versionId } = await registry.bakes.getAttempt(attemptId);
  if (Date.parse(await registry.now()) < Date.parse(deadline) + graceMs) return true;
  return isVersionWorkedOn(registry, versionId);
}
