import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { Failure } from '../domain/failure.ts';
import { addressOf, busy, sqlState, unavailable } from './unavailable.ts';

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

const folder = fileURLToPath(new URL('../../migrations/', import.meta.url));
/** Any constant will do; this one is ours. */
const lockKey = 7_265_482_311;

/** The `NNNN_name.sql` files, in order, without gaps. */
export async function readMigrations(from: string = folder): Promise<readonly Migration[]> {
  const names = (await readdir(from)).filter((name) => /^\d{4}_.+\.sql$/.test(name)).toSorted();
  return Promise.all(
    names.map(async (name, index) => {
      const number = Number(name.slice(0, 4));
      if (number !== index + 1) {
        throw new Failure(
          'internal',
          `Migration ${name} is out of order: number ${index + 1} is missing or doubled.`,
        );
      }
      const text = await readFile(path.join(from, name), 'utf8');
      return { number, name, sql: text, checksum: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

/**
 * Brings the database to this code's schema; answers the names applied now. Many processes may start at once: one applies, the others
 * wait and find it done. Refuses a database that is newer than the code, and one whose applied migrations are not the code's.
 */
export async function migrate(url: string, migrations?: readonly Migration[]): Promise<readonly string[]> {
  const wanted = migrations ?? (await readMigrations());
  const address = addressOf(url);
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    application_name: 'bakehouse migrate',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select pg_advisory_lock($1)', [lockKey]);
    const applied = await readApplied(client);
    verify(wanted, applied, address);
    const missing = wanted.slice(applied.length);
    for (const one of missing) await apply(client, one, address);
    return missing.map((one) => one.name);
  } catch (error) {
    throw unavailable(error, address);
  } finally {
    // Ends the session, and the lock with it.
    await client.end().catch(() => undefined);
  }
}

interface Applied {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
}

async function readApplied(client: Client): Promise<readonly Applied[]> {
  await client.query(`create table if not exists schema_migration (
    number integer primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz(3) not null default clock_timestamp()
  )`);
  const { rows } = await client.query<Applied>(
    'select number, name, checksum from schema_migration order by number',
  );
  return rows;
}

function verify(wanted: readonly Migration[], applied: readonly Applied[], address: string): void {
  const newest = applied.at(-1);
  if (newest !== undefined && newest.number > wanted.length) {
    throw new Failure(
      'illegal_state',
      `The database at ${address} is newer than this program: it has migration ${newest.name}, this program knows ${wanted.length}. Start the newer version of Bakehouse.`,
    );
  }
  for (const [index, one] of applied.entries()) {
    const ours = wanted[index];
    if (ours?.number === one.number && ours.checksum === one.checksum) continue;
    throw new Failure(
      'illegal_state',
      `Migration ${one.name} of the database at ${address} is not the one of this program (${ours?.name ?? 'none'}). Applied migrations are never edited: start the version of Bakehouse that made this database, or use an empty one.`,
    );
  }
}

async function apply(client: Client, migration: Migration, address: string): Promise<void> {
  try {
    await client.query('begin');
    // Whoever comes later waits behind a lock that is waited for.
    await client.query("set local lock_timeout = '2s'");
    await client.query(migration.sql);
    await client.query('insert into schema_migration (number, name, checksum) values ($1, $2, $3)', [
      migration.number,
      migration.name,
      migration.checksum,
    ]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    const state = sqlState(error);
    // A lock that others hold, or a deadlock with them: tried again.
    if (error instanceof Error && (state === '55P03' || state === '40P01')) throw busy(error, address);
    const message = error instanceof Error ? error.message : String(error);
    throw new Failure(
      'internal',
      `Migration ${migration.name} failed and nothing of it was kept: ${message} (${state ?? 'no code'}).`,
      { cause: error },
    );
  }
}
