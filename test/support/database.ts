import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { openStore } from '../../src/store/pool.ts';

export interface TestDatabase {
  readonly url: string;
  readonly store: Store;
  /** A connection of its own, outside the pool: to hold a lock in the middle of somebody's transaction. */
  readonly connect: () => Promise<Client>;
  /** Closes everything opened here and drops the database. */
  readonly drop: () => Promise<void>;
}

/** A fresh, migrated database on the run's server. `empty`: without the schema. */
export async function createDatabase(
  options: { empty?: boolean; connections?: number } = {},
): Promise<TestDatabase> {
  const server = inject('databaseServer');
  const name = `bakehouse_test_${randomBytes(6).toString('hex')}`;
  const template = options.empty === true ? 'template0' : inject('databaseTemplate');
  await admin(server, `create database ${name} template ${template}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const store = openStore(url.href, { connections: options.connections ?? 10, name: 'bakehouse test' });
  const clients: Client[] = [];
  return {
    url: url.href,
    store,
    connect: async () => {
      const client = new Client({ connectionString: url.href });
      client.on('error', () => undefined);
      await client.connect();
      clients.push(client);
      return client;
    },
    drop: async () => {
      await store.close();
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
      await admin(server, `drop database ${name} with (force)`);
    },
  };
}

/** A database for the tests of one file: `const database = useDatabase();` at its top, `database()` inside the tests. */
export function useDatabase(options: { empty?: boolean; connections?: number } = {}): () => TestDatabase {
  let database: TestDatabase | undefined;
  beforeAll(async () => {
    database = await createDatabase(options);
  });
  afterAll(async () => {
    await database?.drop();
  });
  return () => {
    if (database === undefined) throw new Error('The database is there from beforeAll on.');
    return database;
  };
}

async function admin(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
