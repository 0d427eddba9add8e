import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '../..');

describe('the demo that is interrupted', { timeout: 180_000 }, () => {
  let folder: string;
  let child: ChildProcess | undefined;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-demo-'));
  });
  afterEach(async () => {
    // Of a test that failed half-way.
    if (child?.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(folder, { recursive: true });
  });

  /** Processes that name the data folder, or were told of it. */
  const running = (): readonly string[] =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => ['cmdline', 'environ'].some((file) => read(`/proc/${pid}/${file}`).includes(folder)))
      .map((pid) => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' '));

  it.each([
    {
      how: 'Ctrl-C before anything answers',
      after: '$ bakehouse up',
      signal: 'SIGINT',
      group: true,
      code: 130,
    },
    { how: 'SIGTERM while parts start', after: 'is ready', signal: 'SIGTERM', group: false, code: 143 },
    { how: 'SIGHUP during a bake', after: 'base: packer', signal: 'SIGHUP', group: true, code: 129 },
    { how: 'Ctrl-C during a test launch', after: 'base: test', signal: 'SIGINT', group: true, code: 130 },
  ] as const)('by $how leaves nothing running, and says so', async ({ after, signal, group, code }) => {
    const script = path.join(folder, 'demo.ts');
    const dataDir = path.join(folder, 'data');
    writeFileSync(
      script,
      `import { demo } from ${JSON.stringify(path.join(root, 'scripts/demo/demo.ts'))};
process.exit(await demo({ dataDir: ${JSON.stringify(dataDir)}, keep: true }));\n`,
    );
    const demo = spawn(process.execPath, [script], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child = demo;
    const closed = once(demo, 'close');
    let said = '';
    demo.stdout.on('data', (text: Buffer) => (said += text.toString()));
    // Both have machines that outlive the bake host.
    const isThere = (): boolean =>
      !after.startsWith('base: ') || running().some((one) => one.includes('qemu-system'));
    while (!said.includes(after) || !isThere()) {
      expect(demo.exitCode, said).toBeNull();
      await sleep(50);
    }
    process.kill(group ? -demo.pid! : demo.pid!, signal);

    expect(await closed, said).toEqual([code, null]);
    expect(said).toContain(`${signal}: stopping everything that the demo started`);
    expect(said).toContain('everything is stopped');
    expect(existsSync(path.join(dataDir, 'up.log'))).toBe(true);
    expect(running()).toEqual([]);
  });
});

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}
