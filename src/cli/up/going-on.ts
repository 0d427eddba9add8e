import { join } from 'node:path';

import { createPackerRunner } from '../../packer/runner.ts';

/** Attempts whose Packer runs on after everything else has stopped: nobody asked for them to end. */
export async function bakesGoingOn(dataDir: string): Promise<readonly string[]> {
  const attemptsDir = join(dataDir, 'host/attempts');
  const runner = createPackerRunner({ attemptsDir, packers: [], git: 'git', environment: {} });
  return (await runner.attempts())
    .filter(({ state }) => state === 'running')
    .map(({ attemptId }) => attemptId);
}
