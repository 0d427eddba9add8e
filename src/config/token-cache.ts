/**
 * Where commands keep the token of a service principal for the next one: a job that calls a hundred times asks for one token. One file per server,
 * client id and secret, which nobody but the user reads.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

interface CachedToken {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

interface Holder {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** `XDG_CACHE_HOME`, or `.cache` in the home folder. A folder that cannot be written keeps nothing, nor is anything kept where `CI` is set. */
export function tokenCache(
  { url, clientId, clientSecret }: Holder,
  environment: Readonly<NodeJS.ProcessEnv> = process.env,
) {
  const folder = path.join(environment['XDG_CACHE_HOME'] || path.join(homedir(), '.cache'), 'bakehouse');
  // The secret too: a wrong one finds nothing here, and is refused by the server.
  const name = createHash('sha256')
    .update([url, clientId, clientSecret].join('\n'))
    .digest('hex')
    .slice(0, 32);
  const file = path.join(folder, `token-${name}.json`);
  // Jobs of a CI share homes and caches with jobs that are not to have it.
  const isShared = (environment['CI'] ?? '') !== '';
  return {
    read(): CachedToken | undefined {
      if (isShared) return undefined;
      try {
        const { mode, uid } = statSync(file);
        if ((mode & 0o077) !== 0 || uid !== process.getuid?.()) return undefined;
        const kept = toCachedToken(JSON.parse(readFileSync(file, 'utf8')));
        if (kept !== undefined && kept.until > Date.now()) return kept;
        forget(file);
      } catch {
        // None, or not ours to read.
      }
      return undefined;
    },
    write(token: CachedToken): void {
      if (isShared) return;
      const own = `${file}.${process.pid}`;
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeFileSync(own, JSON.stringify(token), { mode: 0o600, flag: 'wx' });
        renameSync(own, file);
      } catch {
        forget(own);
      }
    },
  };
}

function forget(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Its folder is none.
  }
}

function toCachedToken(value: unknown): CachedToken | undefined {
  const field = (key: string): unknown =>
    typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  const [token, until] = [field('token'), field('until')];
  return typeof token === 'string' && typeof until === 'number' ? { token, until } : undefined;
}
