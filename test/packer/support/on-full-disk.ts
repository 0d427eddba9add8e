/** What is done on a disk that is full, in a process that has one: `on-full-disk.ts <disk> <story> [<packer>]`; answers JSON. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isFailure } from '../../../src/domain/failure.ts';
import { createPackerRunner, type PackerRunner } from '../../../src/packer/runner.ts';
import { start, waitFor } from '../../../src/packer/supervisor/supervisor.ts';
import { attempt } from './attempts.ts';
import { shell } from './runs.ts';

const [disk = '', story = '', packer = ''] = process.argv.slice(2);

const stories: Readonly<Record<string, () => Promise<unknown>>> = {
  async 'a command fills it'() {
    const folder = join(disk, 'run');
    await start(folder, shell(`cat /dev/zero > ${disk}/filler; exit 5`));
    return waitFor(folder, AbortSignal.timeout(20_000));
  },

  async 'it is full and has room again'() {
    const runner = runnerHere();
    const input = await attempt('success');
    fill();
    const refusal = await runner.begin(input).catch((error: unknown) => error);
    rmSync(join(disk, 'filler'));
    await runner.begin(input);
    const outcome = await watched(runner, input.mark.attemptId);
    const [file = ''] = outcome.sources[0]?.artifacts[0]?.files ?? [];
    const { code, message } = isFailure(refusal) ? refusal : { code: 'none', message: String(refusal) };
    const isNamed = message.includes(join(disk, 'attempts', input.mark.attemptId));
    return { refusal: { code, isNamed }, outcome, made: readFileSync(file, 'utf8') };
  },

  async 'Packer fills it'() {
    const runner = runnerHere();
    const input = await attempt('filling');
    await runner.begin(input);
    return watched(runner, input.mark.attemptId);
  },
};

function runnerHere(): PackerRunner {
  return createPackerRunner({
    attemptsDir: join(disk, 'attempts'),
    packers: [{ path: packer }],
    git: 'git',
    environment: process.env,
  });
}

const watched = (runner: PackerRunner, attemptId: string) =>
  runner.watch(attemptId, { signal: AbortSignal.timeout(60_000) });

function fill(): void {
  try {
    for (;;) writeFileSync(join(disk, 'filler'), Buffer.alloc(4096), { flag: 'a' });
  } catch {
    // It is full, as wanted.
  }
}

process.stdout.write(JSON.stringify(await stories[story]?.()));
