/** From the place of the bake to every place of the line: copies, shares, tags, each seen there. */
import { proxyActivities } from '@temporalio/workflow';

import type { createDistributionActivities, PlannedCopy, PlannedShare } from '../activities/distribution.ts';
import { queues } from '../domain/queues.ts';
import { ulid } from './ids.ts';
import { cloudCall, longWork, quick, undoing } from './options.ts';
import { Undo } from './undo.ts';

type Activities = ReturnType<typeof createDistributionActivities>;

const { plannedCopies, plannedShares, openCopy } = proxyActivities<Activities>(quick);
const { closeCopy } = proxyActivities<Activities>(undoing);

/** Copies, then shares. One that does not end well leaves no share that the registry does not know. */
export async function distribute(versionId: string, left: (what: string) => void): Promise<void> {
  /** Images that may have been shared: a copy for another account opens its original first. */
  const touched = new Set<string>();
  const undo = new Undo();
  undo.add('the shares', async () => {
    if (touched.size === 0) return;
    const planned = await plannedShares(versionId);
    await allEnded(planned.filter(({ artifactId }) => touched.has(artifactId)).map(takeBack));
  });
  try {
    const copies = await plannedCopies(versionId);
    for (const { artifactId } of copies) touched.add(artifactId);
    await allEnded(copies.map(copyTo));
    const shares = await plannedShares(versionId);
    for (const { artifactId } of shares) touched.add(artifactId);
    await allEnded(shares.map(share));
  } catch (error) {
    for (const what of await undo.unwind()) left(what);
    throw error;
  }
}

async function copyTo(copy: PlannedCopy): Promise<void> {
  const { copyImage } = proxyActivities<Activities>({
    ...longWork,
    taskQueue: queues.cloudWaits(copy.target),
  });
  const { sweepCopy } = proxyActivities<Activities>({ ...undoing, taskQueue: queues.cloud(copy.target) });
  const undo = new Undo();
  let isRecorded = false;
  undo.add(`the copy in ${copy.target.region}`, async () => {
    if (!isRecorded) await sweepCopy(copy);
    await closeCopy(copy.copyId);
  });
  try {
    await openCopy(copy);
    await copyImage(copy);
    isRecorded = true;
  } finally {
    await undo.unwind();
  }
}

function share(planned: PlannedShare): Promise<void> {
  const { shareImage } = proxyActivities<Activities>({
    ...cloudCall,
    taskQueue: queues.cloud(planned.target),
  });
  return shareImage(ulid(), planned);
}

/** Bounded like any call: who cancelled waits for it. What is left then is said, and nobody but the accounts of the line has it. */
function takeBack(planned: PlannedShare): Promise<void> {
  const { takeShareBack } = proxyActivities<Activities>({
    ...cloudCall,
    taskQueue: queues.cloud(planned.target),
  });
  return takeShareBack(planned);
}

/** The failure is reported when all have ended. */
async function allEnded(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
