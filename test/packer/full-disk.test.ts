import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { describe, expect, test, vi } from 'vitest';

import { onSmallDisk } from '../support/small-disk.ts';
import { packersUnderTest } from './support/packers.ts';
import { temporaryFolder } from './support/runs.ts';

// Real processes, also on a machine that is busy with other suites.
vi.setConfig({ testTimeout: 120_000 });

const program = fileURLToPath(new URL('support/on-full-disk.ts', import.meta.url));

/** Tells the story in a process that has the disk. */
async function told(kilobytes: number, story: string, packer = ''): Promise<unknown> {
  using scratch = temporaryFolder();
  const folder = join(scratch.path, 'disk');
  const { file, args } = onSmallDisk({ folder, kilobytes }, process.execPath, program, folder, story, packer);
  return JSON.parse((await promisify(execFile)(file, args)).stdout);
}

describe('on a full disk', () => {
  test('a command that filled it still leaves its status', async () => {
    expect(await told(512, 'a command fills it')).toMatchObject({
      kind: 'finished',
      status: { exitCode: 5 },
    });
  });

  test.each(packersUnderTest)(
    'a bake with Packer $version says so, names the folder, and goes on once there is room',
    async ({ path }) => {
      const answer = await told(1_024, 'it is full and has room again', path);
      expect(answer).toMatchObject({
        refusal: { code: 'resource_exhausted', isNamed: true },
        outcome: { ended: 'succeeded' },
        made: expect.stringContaining('made by'),
      });
    },
  );

  test.each(packersUnderTest)(
    'Packer $version that fills it fails as the operator’s to mend',
    async ({ path }) => {
      expect(await told(1_024, 'Packer fills it', path)).toMatchObject({
        ended: 'failed',
        failure: { code: 'resource_exhausted' },
      });
    },
  );
});
