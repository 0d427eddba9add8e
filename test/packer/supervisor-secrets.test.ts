import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test, vi } from 'vitest';

import { remove, start, waitFor } from '../../src/packer/supervisor/supervisor.ts';
import { read, shell, temporaryFolder } from './support/runs.ts';

// Real processes, also on a machine that is busy with other suites.
vi.setConfig({ testTimeout: 120_000 });

const forever = new AbortController().signal;

describe('what is secret', () => {
  test('is not told when the environment cannot be passed on', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    await start(folder, shell('true', { env: { SECRET: 'xyzzy\0plugh' } }));
    expect(await waitFor(folder, forever)).toMatchObject({
      kind: 'finished',
      status: { exitCode: null, error: 'ERR_INVALID_ARG_VALUE' },
    });
    expect(existsSync(join(folder, 'spec.json'))).toBe(false);
    for (const name of readdirSync(folder)) expect(read(join(folder, name)), name).not.toMatch(/xyzzy|plugh/);
  });

  test('of our own environment does not reach flock', async () => {
    using home = temporaryFolder();
    const seen = join(home.path, 'seen');
    const wrapper = join(home.path, 'flock');
    writeFileSync(wrapper, `#!/bin/sh\nenv >> ${seen}\nPATH=\${PATH#*:}\nexec flock "$@"\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${home.path}:${process.env['PATH'] ?? ''}`);
    vi.stubEnv('BAKEHOUSE_TOKEN', 'xyzzy');
    try {
      const folder = join(home.path, 'run');
      await start(folder, shell('true'));
      await waitFor(folder, forever);
      // By this process, as the supervisor's has nothing to tell.
      await remove(folder);
    } finally {
      vi.unstubAllEnvs();
    }
    expect(read(seen)).toContain(`PATH=${home.path}:`);
    expect(read(seen)).not.toContain('xyzzy');
  });
});
