/** What the tests of the supervisor and of the runner look at: folders, and who lives. */
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { RunSpec } from '../../../src/packer/supervisor/records.ts';

export function temporaryFolder(): { path: string; [Symbol.dispose](): void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'bakehouse-test-')));
  return {
    path,
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

export function shell(script: string, options: Partial<RunSpec> = {}): RunSpec {
  return {
    file: '/bin/sh',
    args: ['-c', script],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    cwd: '/',
    timeLimitMs: 60_000,
    graceMs: 2_000,
    ...options,
  };
}

/** Pids of live processes whose arguments or environment name the text; not our own. */
export function processesNaming(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      if (/^State:\s+[ZX]/m.test(read(`/proc/${pid}/status`))) return false;
      return [read(`/proc/${pid}/cmdline`), read(`/proc/${pid}/environ`)].some((part) => part.includes(text));
    });
}

export function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export function lines(path: string): string[] {
  return read(path)
    .split('\n')
    .filter((line) => line !== '');
}

export async function eventually<T>(
  look: () => T | undefined | false,
  withinMs = 60_000,
  everyMs = 20,
): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    const seen = look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > until) throw new Error(`not seen within ${withinMs} ms: ${look.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

export function kill9(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already: that is what was wanted.
  }
}
