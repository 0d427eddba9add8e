import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openKeyring } from '../../src/temporal/codec/keyring.ts';
import { startCli } from './support/cli.ts';

let cwd: string;
let file: string;

beforeEach(() => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-keys-'));
  file = path.join(cwd, 'payload-keys');
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const keys = (...args: string[]) =>
  startCli(['keys', 'new', ...args], { cwd, env: { BAKEHOUSE_PAYLOAD_KEYS_FILE: file } }).ended;

describe('keys new', () => {
  it('makes a file that only its user reads, and puts a later key first', async () => {
    const first = await keys();
    expect(first.code, first.stderr).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const before = await openKeyring(file);

    const second = await keys('--json');
    const after = await openKeyring(file);
    expect(after.ids).toEqual([after.current.id, before.current.id]);
    expect(after.find(before.current.id)?.key.equals(before.current.key)).toBe(true);
    expect(after.current.key.equals(before.current.key)).toBe(false);
    expect(JSON.parse(second.stdout)).toEqual({ file, id: after.current.id, readable: after.ids });

    const printed = `${first.stdout}${first.stderr}${second.stdout}${second.stderr}`;
    for (const id of after.ids) {
      expect(printed).not.toContain(after.find(id)?.key.export().toString('base64'));
    }
  });

  it('takes a wrapped key, and refuses what is none before it changes the file', async () => {
    expect((await keys('--wrapped', 'vault:v1:d3JhcHBlZA==')).code).toBe(0);
    const content = readFileSync(file, 'utf8');
    expect(JSON.parse(content)).toMatchObject([{ wrapped: 'vault:v1:d3JhcHBlZA==' }]);

    const refused = await keys('--wrapped', 'd3JhcHBlZA==');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('no ciphertext of Vault');
    expect(readFileSync(file, 'utf8')).toBe(content);
  });

  it('leaves a file alone that it cannot read, and asks for a name', async () => {
    writeFileSync(file, '- nonsense', { mode: 0o600 });
    const refused = await keys();
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`payload key file ${file} entry 1 is not a mapping`);
    expect(readFileSync(file, 'utf8')).toBe('- nonsense');

    const other = await startCli(['keys', 'list'], { cwd }).ended;
    expect(other.stderr).toContain('there is no `keys list`: write `keys new`');
    const nameless = await startCli(['keys', 'new'], { cwd }).ended;
    expect(nameless.stderr).toContain('name it with --file');
    const elsewhere = path.join(cwd, 'other');
    expect((await keys('--file', elsewhere)).code).toBe(0);
    expect(existsSync(elsewhere)).toBe(true);
  });
});
