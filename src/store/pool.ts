import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { Kysely, PostgresDialect } from 'kysely';
import type { CustomTypesConfig, PoolClient } from 'pg';
import { Pool, types } from 'pg';
import type { Database } from './database.ts';
import { addressOf, unavailable } from './unavailable.ts';
import type { Store } from './store.ts';

export interface StoreOptions {
  /** Connections at most, for reads and for transactions each; default 10. */
  readonly connections?: number;
  /** Shown in `pg_stat_activity`. */
  readonly name?: string;
}

/** Our bigints (sequences, sizes, offsets) stay below 2^53; instants are strings all through the registry. */
const parsers: CustomTypesConfig = {
  getTypeParser: (id, format) => {
    if (format === 'binary') return types.getTypeParser(id, format);
    if (id === types.builtins.INT8) return Number;
    if (id === types.builtins.TIMESTAMPTZ) return isoInstant;
    return types.getTypeParser(id, format);
  },
};

/** Connects lazily: a database that is away shows at the first use, as `provider_unavailable`. */
export function openStore(url: string, options: StoreOptions = {}): Store {
  const address = addressOf(url);
  const [pool, changing] = [openPool(url, options), openPool(url, options)];
  return {
    db: kyselyOn(pool, address),
    changes: kyselyOn(changing, address),
    pool,
    address,
    url,
    close: async () => {
      await Promise.all([pool, changing].map(async (one) => (one.ended ? undefined : one.end())));
    },
  };
}

function openPool(url: string, { connections = 10, name = 'bakehouse' }: StoreOptions): Pool {
  const pool = new Pool({
    connectionString: url,
    max: connections,
    application_name: name,
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
  pool.on('error', ignore);
  return pool;
}

const kyselyOn = (pool: Pool, address: string): Kysely<Database> =>
  new Kysely<Database>({ dialect: new PostgresDialect({ pool: speaking(pool, address) }) });

/** The part of a pool that kysely uses, with connection errors told as failures of the catalogue. */
function speaking(pool: Pool, address: string): PostgresPool {
  return {
    options: {},
    end: () => pool.end(),
    connect: async () => {
      try {
        return new SpeakingClient(await pool.connect(), address);
      } catch (error) {
        throw unavailable(error, address);
      }
    },
  };
}

class SpeakingClient implements PostgresPoolClient {
  readonly #client: PoolClient;
  readonly #address: string;

  constructor(client: PoolClient, address: string) {
    this.#client = client;
    this.#address = address;
    // While a client is out, the pool does not listen for its errors: a lost connection would end the process.
    client.on('error', ignore);
  }

  query<R>(statement: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(statement: string | PostgresCursor<R>, parameters: readonly unknown[] = []): unknown {
    if (typeof statement === 'string') return this.#ask(statement, parameters);
    throw new Error('Cursors are not used.');
  }

  async #ask(statement: string, parameters: readonly unknown[]): Promise<unknown> {
    try {
      return await this.#client.query(statement, [...parameters]);
    } catch (error) {
      throw unavailable(error, this.#address);
    }
  }

  release(destroy?: boolean): void {
    this.#client.off('error', ignore);
    this.#client.release(destroy);
  }
}

function ignore(): void {
  // What broke shows at the next query.
}

/** `2026-11-21 10:41:21.123+00` → `2026-11-21T10:41:21.123Z`. */
function isoInstant(text: string): string {
  return new Date(`${text.replace(' ', 'T').replace(/\+00$/, '')}Z`).toISOString();
}
