/** What is done to one image in one place, in which order, for each wish. */
import { isCancellation, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';

import type { Act, ActResult, createEnforcementActivities } from '../activities/enforcement.ts';
import { formatDuration } from '../domain/duration.ts';
import { isGone } from '../domain/enforcement.ts';
import { queues } from '../domain/queues.ts';
import type { EnforcementPlace, EnforcementWish, ReceiptAction } from '../domain/revocation.ts';
import { reportOf } from './failing.ts';
import { ulid } from './ids.ts';
import { quick, quickHere } from './options.ts';
import { placeCall, type Rest } from './places.ts';

type Activities = ReturnType<typeof createEnforcementActivities>;
type Verb =
  | 'recordShares'
  | 'blockImage'
  | 'announceEnd'
  | 'enableImage'
  | 'putSharesBack'
  | 'verifyImage'
  | 'deleteImage';

const { enforcementWish } = proxyLocalActivities<Activities>(quickHere);
const { recordObstacle } = proxyActivities<Activities>(quick);

export const wishOf = enforcementWish;

/** Whoever still uses a revoked image is asked again a day later. */
const askAgainMs = 24 * 3_600_000;

/** The runbook. Shares are kept before a block that may forget them; a verification comes last, because it makes the image count again. */
const steps: Readonly<Record<EnforcementWish['wanted'], readonly Verb[]>> = {
  usable: ['enableImage', 'putSharesBack', 'verifyImage', 'announceEnd'],
  blocked: ['recordShares', 'blockImage', 'announceEnd'],
  deleted: ['recordShares', 'blockImage', 'deleteImage'],
};

const provesWith: Readonly<Record<Verb, ReceiptAction>> = {
  recordShares: 'share',
  blockImage: 'disable',
  announceEnd: 'deprecate',
  enableImage: 'enable',
  putSharesBack: 'share',
  verifyImage: 'verify',
  deleteImage: 'delete',
};

/** Takes one place of the version forward; remembers what stood in the way, so that the same obstacle is written down once. */
export function retiringAt(versionId: string): (place: EnforcementPlace) => Promise<Rest> {
  const obstacles = new Map<string, string>();

  return async ({ artifactId, image }) => {
    const there = proxyActivities<Activities>({ ...placeCall, taskQueue: queues.cloud(image.target) });
    const wish = await enforcementWish(versionId, artifactId);
    const place = placeIn(wish, artifactId);
    if (place === undefined || isGone(place)) return 'done';

    for (const verb of steps[wish.wanted]) {
      const act: Act = { versionId, artifactId, receiptId: ulid() };
      const result = await noting(obstacles, act, verb, () => there[verb](act));
      if (result.outcome === 'changed') return { againInMs: 0, why: 'the registry wants something else now' };
      if (result.outcome === 'refused') return { againInMs: askAgainMs, why: `not deleted: ${result.why}` };
    }
    return whatComesNext(wish, await enforcementWish(versionId, artifactId));
  };
}

function whatComesNext(before: EnforcementWish, now: EnforcementWish): Rest {
  if (before.wanted !== now.wanted || before.deprecateAt !== now.deprecateAt) {
    return { againInMs: 0, why: 'the registry wants something else now' };
  }
  if (now.wanted !== 'blocked' || now.deleteInMs === null) return 'done';
  const inMs = Math.max(1_000, now.deleteInMs);
  return { againInMs: inMs, why: `blocked; deleted in ${formatDuration(inMs)} if nothing uses it` };
}

async function noting(
  obstacles: Map<string, string>,
  act: Act,
  verb: Verb,
  work: () => Promise<ActResult>,
): Promise<ActResult> {
  const note = async (outcome: 'refused' | 'failed', detail: string) => {
    const key = `${act.artifactId}/${verb}`;
    if (obstacles.get(key) === detail) return;
    obstacles.set(key, detail);
    await recordObstacle({ ...act, receiptId: ulid() }, provesWith[verb], outcome, detail);
  };
  try {
    const result = await work();
    if (result.outcome === 'refused') await note('refused', result.why);
    if (result.outcome === 'done') obstacles.delete(`${act.artifactId}/${verb}`);
    return result;
  } catch (error) {
    if (isCancellation(error)) throw error;
    await note('failed', reportOf(error).message);
    throw error;
  }
}

function placeIn(wish: EnforcementWish, artifactId: string): EnforcementPlace | undefined {
  return wish.places.find((place) => place.artifactId === artifactId);
}
