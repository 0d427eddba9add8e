import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test, vi } from 'vitest';

import { createPackerRunner } from '../../src/packer/runner.ts';
import { start, waitFor } from '../../src/packer/supervisor/supervisor.ts';
import { attempt } from './support/attempts.ts';
import { packersUnderTest } from './support/packers.ts';
import { shell, temporaryFolder } from './support/runs.ts';

// Real processes, also on a machine that is busy with other suites.
vi.setConfig({ testTimeout: 120_000 });

/** A real, small disk: only root may mount one. */
function smallDisk(kilobytes: number): { path: string; [Symbol.dispose](): void } {
  const folder = temporaryFolder();
  const path = join(folder.path, 'disk');
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', path]);
  return {
    path,
    [Symbol.dispose]() {
      execFileSync('umount', [path]);
      folder[Symbol.dispose]();
    },
  };
}

function fill(path: string): void {
  try {
    for (;;) writeFileSync(join(path, 'filler'), Buffer.alloc(4096), { flag: 'a' });
  } catch {
    // It is full, as wanted.
  }
}

describe.runIf(process.getuid?.() === 0)('on a full disk', () => {
  test('a command that filled it still leaves its status', async () => {
    using disk = smallDisk(512);
    const folder = join(disk.path, 'run');
    await start(folder, shell(`cat /dev/zero > ${disk.path}/filler; exit 5`));
    expect(await waitFor(folder, AbortSignal.timeout(20_000))).toMatchObject({
      kind: 'finished',
      status: { exitCode: 5 },
    });
  });

  test.each(packersUnderTest)(
    'a bake with Packer $version says so, names the folder, and goes on once there is room',
    async (packer) => {
      using disk = smallDisk(1_024);
      const runner = createPackerRunner({
        attemptsDir: join(disk.path, 'attempts'),
        packers: [{ path: packer.path }],
        git: 'git',
        environment: process.env,
      });
      const input = await attempt('success');
      fill(disk.path);
      await expect(runner.begin(input)).rejects.toMatchObject({
        code: 'resource_exhausted',
        message: expect.stringContaining(join(disk.path, 'attempts', input.mark.attemptId)),
      });
      rmSync(join(disk.path, 'filler'));
      await runner.begin(input);
      const outcome = await runner.watch(input.mark.attemptId, { signal: AbortSignal.timeout(60_000) });
      expect(outcome).toMatchObject({ ended: 'succeeded' });
      expect(readFileSync(outcome.sources[0]?.artifacts[0]?.files[0] ?? '', 'utf8')).toContain('made by');
    },
  );

  test.each(packersUnderTest)(
    'Packer $version that fills it fails as the operator’s to mend',
    async (packer) => {
      using disk = smallDisk(1_024);
      const runner = createPackerRunner({
        attemptsDir: join(disk.path, 'attempts'),
        packers: [{ path: packer.path }],
        git: 'git',
        environment: process.env,
      });
      const input = await attempt('filling');
      await runner.begin(input);
      const outcome = await runner.watch(input.mark.attemptId, { signal: AbortSignal.timeout(60_000) });
      expect(outcome).toMatchObject({ ended: 'failed', failure: { code: 'resource_exhausted' } });
    },
  );
});
