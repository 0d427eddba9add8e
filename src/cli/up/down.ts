/** `bakehouse down`: ends what `up` started in a data folder, also what a killed one left. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { Failure } from '../../domain/failure.ts';
import { createPackerRunner } from '../../packer/runner.ts';
import { isLocked } from '../../packer/supervisor/lock.ts';
import { isAlive, markOf } from '../../packer/supervisor/process-table.ts';
import { stopEmbedded } from '../../store/embedded.ts';
import { lockFolder, readJson } from './folder.ts';
import { bakesGoingOn } from './going-on.ts';
import { endProcesses } from './orphans.ts';
import type { Say } from './part.ts';
import { endOrphans } from './up.ts';

const packerGraceMs = 30_000;

/** Nothing to do is fine. With `endBakes` the Packers that would go on are ended too, and their folders removed. */
export async function bringDown(
  dataDir: string,
  { endBakes }: { readonly endBakes: boolean },
  say: Say,
): Promise<void> {
  if (!existsSync(join(dataDir, 'run'))) {
    say(`nothing was started in ${dataDir}`);
    return;
  }
  await stopRunningUp(dataDir, say);
  const folder = await lockFolder(dataDir);
  try {
    await endOrphans(folder, say);
    await stopEmbedded(join(dataDir, 'postgres'));
    for (const attemptId of await bakesGoingOn(dataDir)) {
      if (endBakes) await endBake(dataDir, attemptId);
      say(endBakes ? `ended the Packer of ${attemptId}` : `Packer goes on for ${attemptId}`);
    }
  } finally {
    folder.release();
  }
  say('everything is stopped');
}

/** SIGTERM to the one that has the lock, and as much time as it needs to stop its parts in order. */
async function stopRunningUp(dataDir: string, say: Say): Promise<void> {
  const run = join(dataDir, 'run');
  if (!(await isLocked(run))) return;
  const pid = readJson(join(run, 'up.json'))?.['pid'];
  if (typeof pid !== 'number' || !isAlive(markOf(pid))) {
    throw new Failure(
      'illegal_state',
      `${run} is locked by a process that did not write its pid; end that one`,
    );
  }
  say(`stopping \`bakehouse up\`, process ${pid}`);
  await endProcesses([markOf(pid)], 120_000);
}

async function endBake(dataDir: string, attemptId: string): Promise<void> {
  const attemptsDir = join(dataDir, 'host/attempts');
  const runner = createPackerRunner({ attemptsDir, packers: [], git: 'git', environment: {} });
  await runner.cancel(attemptId, packerGraceMs);
  await runner.sweepLocal(attemptId);
}
