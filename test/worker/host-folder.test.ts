import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openHostFolder } from '../../src/worker/host-folder.ts';

let dataDir = '';

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'bakehouse-host-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const module = fileURLToPath(new URL('../../src/worker/host-folder.ts', import.meta.url));

/** Another process that holds the folder until it is killed. */
async function holder() {
  const code = `const { openHostFolder } = await import(${JSON.stringify(module)});
    const folder = await openHostFolder(${JSON.stringify(dataDir)});
    console.log(folder.hostId);
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [chunk] = await once(child.stdout, 'data');
  return { child, hostId: String(chunk).trim() };
}

describe("a bake host's folder", () => {
  it('gives the host an id once and for ever', async () => {
    const first = await openHostFolder(dataDir);
    first.release();
    const second = await openHostFolder(dataDir);
    second.release();

    expect(first.hostId).toMatch(/^[0-9a-f-]{36}$/);
    expect(second.hostId).toBe(first.hostId);
  });

  it('is refused to a second process while one has it, and free after kill -9', async () => {
    const other = await holder();
    try {
      await expect(openHostFolder(dataDir)).rejects.toMatchObject({
        code: 'illegal_state',
        message: expect.stringContaining('BAKEHOUSE_DATA_DIR'),
      });
    } finally {
      const gone = once(other.child, 'exit');
      other.child.kill('SIGKILL');
      await gone;
    }
    const mine = await openHostFolder(dataDir);
    expect(mine.hostId).toBe(other.hostId);
    mine.release();
  });

  it('refuses an id that is damaged instead of becoming another host', async () => {
    (await openHostFolder(dataDir)).release();
    writeFileSync(join(dataDir, 'host/host-id'), 'rubbish');

    await expect(openHostFolder(dataDir)).rejects.toMatchObject({ code: 'illegal_state' });
  });
});
