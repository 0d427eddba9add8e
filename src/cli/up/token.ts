import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Secret } from '../../config/secret.ts';
import type { Settings } from '../../config/settings.ts';

export interface ApiToken {
  readonly token: Secret;
  /** What the parts read: a token is in no command line. */
  readonly file: string;
}

/** The token asked for, else the one of last time, else a new one. */
export function apiToken(settings: Settings): ApiToken {
  const file = join(settings.dataDir, 'token');
  if (settings.token === undefined && existsSync(file)) {
    const known = readFileSync(file, 'utf8').trim();
    if (known !== '') return { token: new Secret(known), file };
  }
  const token = settings.token ?? new Secret(randomBytes(24).toString('hex'));
  writeFileSync(file, `${token.reveal()}\n`, { mode: 0o600 });
  return { token, file };
}
