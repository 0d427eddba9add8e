import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Database } from './database.ts';
import { addressOf, unavailable } from './unavailable.ts';
import type { Store } from './store.ts';

export interface StoreOptions {
  /** Connections at most; default 10. */
  readonly connections?: number;
  /** Shown in `pg_stat_activity`. */
  readonly name?: string;
}

const oid = { int8: 20, timestamptz: 1184 } as const;

/** Our bigints (sequences, sizes, offsets) stay below 2^53; instants are strings all through the registry. */
const parsers: pg.CustomTypesConfig = {
  getTypeParser: ((id: number, format?: 'text' | 'binary') => {
    if (id === oid.int8) return Number;
    if (id === oid.timestamptz) return isoInstant;
    return pg.types.getTypeParser(id, format as 'text');
  }) as pg.CustomTypesConfig['getTypeParser'],
};

/** Connects lazily: a database that is away shows at the first use, as `provider_unavailable`. */
export function openStore(url: string, options: StoreOptions = {}): Store {
  const address = addressOf(url);
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connections ?? 10,
    application_name: options.name ?? 'bakehouse',
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    types: parsers,
    options: [
      '-c timezone=UTC',
      '-c datestyle=ISO',
      '-c statement_timeout=60s',
      '-c lock_timeout=30s',
      '-c idle_in_transaction_session_timeout=60s',
    ].join(' '),
  });
  // An idle connection that dies is replaced at its next use; unheard, the event would end the process.
  pool.on('error', () => undefined);
  return {
    db: new Kysely<Database>({ dialect: new PostgresDialect({ pool: speaking(pool, address) }) }),
    pool,
    address,
    url,
    close: async () => {
      if (!pool.ended) await pool.end();
    },
  };
}

/** The part of a pool that kysely uses, with connection errors told as failures of the catalogue. */
function speaking(pool: pg.Pool, address: string) {
  return {
    connect: async () => {
      try {
        return speakingClient(await pool.connect(), address);
      } catch (error) {
        throw unavailable(error, address);
      }
    },
    end: () => pool.end(),
    options: pool.options as object,
  } as unknown as pg.Pool;
}

function speakingClient(client: pg.PoolClient, address: string): pg.PoolClient {
  // While a client is out, the pool does not listen for its errors: a lost connection would end the process.
  const ignore = () => undefined;
  client.on('error', ignore);
  return {
    query: async (...args: Parameters<pg.PoolClient['query']>) => {
      try {
        return await client.query(...args);
      } catch (error) {
        throw unavailable(error, address);
      }
    },
    release: (destroy?: boolean | Error) => {
      client.off('error', ignore);
      client.release(destroy);
    },
  } as unknown as pg.PoolClient;
}

/** `2026-11-21 10:41:21.123+00` → `2026-11-21T10:41:21.123Z`. */
function isoInstant(text: string): string {
  return new Date(`${text.replace(' ', 'T').replace(/\+00$/, '')}Z`).toISOString();
}
