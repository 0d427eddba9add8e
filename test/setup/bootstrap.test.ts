import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '../..');
const bootstrap = path.join(root, 'scripts/bootstrap.mjs');

describe('the first step of every npm script', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-bootstrap-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const script = (name: string, text: string): string => {
    const file = path.join(folder, name);
    writeFileSync(file, text);
    return file;
  };

  it('runs a script under Node 24 with its arguments, and ends as it ends', () => {
    const file = script(
      'seven.ts',
      'console.log(process.version, process.argv.slice(2).join("|")); process.exit(7 as number);',
    );
    const { status, stdout } = spawnSync(process.execPath, [bootstrap, file, 'a b', '--c'], {
      encoding: 'utf8',
    });

    expect(status).toBe(7);
    expect(stdout).toMatch(/^v24\.\S+ a b\|--c\n$/);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('hands %s on and waits for the script', async (signal) => {
    const file = script(
      'waits.ts',
      'for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => setTimeout(() => { console.log("tidied up"); process.exit(5); }, 50)); setInterval(() => {}, 1000); console.log("up");',
    );
    const child = spawn(process.execPath, [bootstrap, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await once(child.stdout, 'data');
    child.kill(signal);

    expect(await once(child, 'close')).toEqual([5, null]);
    expect(said).toBe('up\ntidied up\n');
  });

  it('says how it is used', () => {
    const { status, stderr } = spawnSync(process.execPath, [bootstrap], { encoding: 'utf8' });

    expect([status, stderr]).toEqual([
      1,
      'bootstrap: usage: node scripts/bootstrap.mjs <script.ts> [args]\n',
    ]);
  });
});

function setUp(): string {
  return spawnSync(process.execPath, [path.join(root, 'scripts/setup.ts')], { encoding: 'utf8' }).stdout;
}

describe('the set-up', () => {
  it('only looks when all is there, and finds the same', () => {
    const [first, second] = [setUp(), setUp()];

    expect(second).toMatch(
      /^setup: ready: Temporal \d\S+, Packer .*\(qemu\).*, QEMU \d\S+, seed image \S+\n$/,
    );
    expect(first.endsWith(second)).toBe(true);
  });
});
