/** Payload keys: the file is made, or gets a new first key. No key is ever printed. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { loadSettings } from '../../config/settings.ts';
import { Failure } from '../../domain/failure.ts';
import { keyBytes, readKeyFile, writeKeyFile } from '../../temporal/codec/key-file.ts';
import { createVault } from '../../vault/index.ts';
import type { CommandContext } from '../context.ts';

export interface NewKeyOptions {
  readonly file?: string;
  /** True: a new one, wrapped here. */
  readonly wrapped?: string | true;
}

/** The new key is the first, so it encrypts from the next start on; all others stay readable. */
export async function newKey(
  context: CommandContext,
  { file: named, wrapped }: NewKeyOptions,
): Promise<void> {
  const file = named === undefined ? loadSettings().payloadKeysFile : resolve(named);
  if (file === undefined) {
    throw new Failure('invalid_input', 'which file? Set BAKEHOUSE_PAYLOAD_KEYS_FILE, or name it with --file');
  }
  const before = existsSync(file) ? readKeyFile(file) : [];
  const kept = before.map((entry) =>
    'key' in entry
      ? { id: entry.id, key: Buffer.from(entry.key.bytes()).toString('base64') }
      : { id: entry.id, wrapped: entry.wrapped },
  );
  const id = `${new Date().toISOString().slice(0, 10)}-${randomBytes(3).toString('hex')}`;
  const key = randomBytes(keyBytes);
  const fresh =
    wrapped === undefined
      ? { id, key: key.toString('base64') }
      : { id, wrapped: wrapped === true ? await wrap(key) : wrapped };
  writeKeyFile(file, [fresh, ...kept]);
  const ids = readKeyFile(file).map((entry) => entry.id);
  context.answer({ file, id, readable: ids }, `${file}: ${id} encrypts, readable: ${ids.join(', ')}\n`);
  context.say(
    before.length === 0
      ? 'set BAKEHOUSE_PAYLOAD_KEYS_FILE to it for server, workers and bake hosts, and keep a copy: what is encrypted is lost with it'
      : 'each process reads it at its start: give the file to all, then start them again one after the other',
  );
}

async function wrap(key: Uint8Array): Promise<string> {
  const { vault: settings } = loadSettings();
  if (settings === undefined) {
    throw new Failure(
      'invalid_input',
      'who wraps the key? Set VAULT_ADDR and BAKEHOUSE_VAULT_AUTH, or leave --wrapped out',
    );
  }
  const vault = await createVault(settings);
  try {
    return await vault.wrapDataKey(key);
  } finally {
    await vault.close();
  }
}
