import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { afterAll, describe, expect, it } from 'vitest';
import { openKeyring } from '../../src/temporal/codec/keyring.ts';
import { writeKeyFile } from '../../src/temporal/codec/key-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'bakehouse-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const key = () => randomBytes(32).toString('base64');

let files = 0;
function keyFile(content: string, mode = 0o600): string {
  const file = join(folder, `keys-${(files += 1)}`);
  writeFileSync(file, content, { mode });
  chmodSync(file, mode);
  return file;
}

const refusal = async (file: string): Promise<{ code: string; message: string }> =>
  openKeyring(file).then(
    () => ({ code: '', message: 'not refused' }),
    (error: { code: string; message: string }) => error,
  );

describe('a key file', () => {
  it('is YAML or JSON: the first key encrypts, all are readable', async () => {
    const [one, two] = [key(), key()];
    const yaml = await openKeyring(keyFile(`- id: new\n  key: ${one}\n- id: old\n  key: ${two}\n`));
    const json = await openKeyring(keyFile(JSON.stringify([{ id: 'old', key: two }])));

    expect(yaml.current.id).toBe('new');
    expect(yaml.ids).toEqual(['new', 'old']);
    expect(yaml.find('old')?.key.export().toString('base64')).toBe(two);
    expect(yaml.find('other')).toBeUndefined();
    expect(json.current.id).toBe('old');
  });

  it('shows its keys nowhere', async () => {
    const secret = key();
    const ring = await openKeyring(keyFile(JSON.stringify([{ id: 'one', key: secret }])));
    const shown = `${inspect(ring, { depth: 9, showHidden: true })}${JSON.stringify(ring.current)}`;

    expect(shown).not.toContain(secret);
    expect(shown).not.toContain(Buffer.from(secret, 'base64').toString('hex').slice(0, 8));
  });

  const secret = key();
  it.each([
    ['one that others can read', keyFile('[]', 0o644), /is open to other users \(mode 0644\): chmod 600/],
    ['one that is absent', join(folder, 'absent'), /cannot be read \(ENOENT\): make it with `bakehouse keys/],
    ['an empty one', keyFile(''), /holds no list of keys/],
    ['one that is no YAML', keyFile(`- id: "a\n  key: ${secret}`), /neither YAML nor JSON \(line \d, col/],
    [
      'a key of another length',
      keyFile(`- {id: a, key: "${secret.slice(8)}"}`),
      /entry 1 \(a\): key is not 32/,
    ],
    ['a key that is no base64', keyFile(`- {id: a, key: "${secret}!"}`), /key is not 32 bytes in base64/],
    ['a bare key', keyFile(`- ${secret}`), /entry 1 is not a mapping/],
    ['an id that is a key', keyFile(`- {id: "${secret}"}`), /entry 1 has no usable id/],
    [
      'one id twice',
      keyFile(`- {id: a, key: "${secret}"}\n- {id: a, key: "${key()}"}`),
      /has the id a twice/,
    ],
    ['neither key nor wrapped', keyFile('- {id: a}'), /must have id and one of key and wrapped/],
    ['more than it knows', keyFile(`- {id: a, key: "${secret}", "${secret}": 1}`), /and nothing else/],
    ['wrapped by something else', keyFile(`- {id: a, wrapped: "${secret}"}`), /no ciphertext of Vault/],
    ['an alias', keyFile(`- &a {id: a, key: "${secret}"}\n- *a`), /uses aliases/],
  ])('refuses %s, naming the file and never a key', async (_, file, problem) => {
    const { code, message } = await refusal(file);

    expect(message).toMatch(problem);
    expect(message).toContain(file);
    expect(code).toBe('invalid_input');
    expect(message).not.toContain(secret.slice(0, 12));
  });

  it('is written with mode 0600 and in one step', () => {
    const file = join(folder, 'written');
    writeKeyFile(file, [{ id: 'a', key: key() }]);
    writeKeyFile(file, [{ id: 'b', key: key() }]);

    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject([{ id: 'b' }]);
  });
});

describe('the writing of a key file', () => {
  it('that fails leaves no half of it', () => {
    const home = mkdtempSync(join(folder, 'half-'));
    mkdirSync(join(home, 'keys', 'in the way'), { recursive: true });
    expect(() => writeKeyFile(join(home, 'keys'), [{ id: 'a', key: key() }])).toThrow(/cannot be written/);
    expect(readdirSync(home)).toEqual(['keys']);
  });

  it('is not kept up by the half of a process with the same number, which was killed', () => {
    const home = mkdtempSync(join(folder, 'left-'));
    writeFileSync(join(home, `keys.${process.pid}.new`), '');
    writeKeyFile(join(home, 'keys'), [{ id: 'a', key: key() }]);
    expect(JSON.parse(readFileSync(join(home, 'keys'), 'utf8'))).toMatchObject([{ id: 'a' }]);
  });
});

describe('wrapped keys', () => {
  const content = `- {id: new, wrapped: "vault:v2:bmV3"}\n- {id: plain, key: "${key()}"}\n- {id: old, wrapped: "vault:v1:b2xk"}`;

  it('are unwrapped once, together, and then kept', async () => {
    const asked: (readonly string[])[] = [];
    const made = [randomBytes(32), randomBytes(32)];
    const ring = await openKeyring(keyFile(content), (ciphertexts) => {
      asked.push(ciphertexts);
      return Promise.resolve(made);
    });

    expect(asked).toEqual([['vault:v2:bmV3', 'vault:v1:b2xk']]);
    expect(ring.ids).toEqual(['new', 'plain', 'old']);
    expect(
      ring
        .find('old')
        ?.key.export()
        .equals(made[1] ?? Buffer.alloc(0)),
    ).toBe(true);
  });

  it('are refused without a Vault, and when Vault gives something else', async () => {
    const file = keyFile(content);
    await expect(openKeyring(file)).rejects.toThrow(/new, old is wrapped by Vault, and no Vault is set up/);
    await expect(openKeyring(file, () => Promise.resolve([randomBytes(32)]))).rejects.toThrow(
      /key old is not 32 bytes long/,
    );
    const sealed = new Error('Vault is sealed');
    await expect(openKeyring(file, () => Promise.reject(sealed))).rejects.toBe(sealed);
  });
});
