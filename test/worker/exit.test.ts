import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const module = fileURLToPath(new URL('../../src/cli/processes/run.ts', import.meta.url));

/** Runs a process of ours whose body and leftovers are given as code; answers how and when it ended. */
async function run(finished: string): Promise<{ readonly code: number | null; readonly ms: number }> {
  const code = `
    const { runProcess } = await import(${JSON.stringify(module)});
    setInterval(() => undefined, 1000); // a step that never ends
    try {
      await runProcess('worker', () => ({ ready: new Promise(() => undefined), finished: ${finished}, stop: () => Promise.resolve() }));
      process.exitCode = 0;
    } catch {
      process.exitCode = 7;
    }`;
  const begun = performance.now();
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: { PATH: process.env['PATH'], BAKEHOUSE_LOG_LEVEL: 'error' },
    stdio: 'ignore',
  });
  await once(child, 'exit');
  return { code: child.exitCode, ms: performance.now() - begun };
}

describe('a process of ours', () => {
  it('ends although a step of it never does, and with its own exit code', async () => {
    const [well, badly] = await Promise.all([
      run('Promise.resolve()'),
      run(`Promise.reject(new Error('the poll was refused'))`),
    ]);

    expect([well.code, badly.code]).toEqual([0, 7]);
    expect(Math.max(well.ms, badly.ms)).toBeLessThan(20_000);
  });
});
