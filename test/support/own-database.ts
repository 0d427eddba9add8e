import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { startEmbedded } from '../../src/store/embedded.ts';
import { migrate } from '../../src/store/migrate.ts';
import { openStore } from '../../src/store/pool.ts';
import type { TestDatabase } from './database.ts';
import { freePort } from './temporal-server.ts';

export interface OwnDatabase extends TestDatabase {
  readonly pid: number;
  /** SIGKILL to the server; its children end by themselves. */
  kill(): void;
  /** The same files on the same port. */
  startAgain(): Promise<void>;
}

/** A PostgreSQL server of one's own that a test may kill, as durable as the real one. */
export async function startOwnDatabase(): Promise<OwnDatabase> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'bakehouse-own-pg-'));
  const port = await freePort();
  const start = () => startEmbedded({ dataDir, port });
  let server = await start();
  await migrate(server.url);
  const store = openStore(server.url, { connections: 10, name: 'bakehouse test' });
  const clients: Client[] = [];
  return {
    url: server.url,
    store,
    get pid() {
      return server.pid;
    },
    connect: async () => {
      const client = new Client({ connectionString: server.url });
      client.on('error', () => undefined);
      await client.connect();
      clients.push(client);
      return client;
    },
    kill: () => void process.kill(server.pid, 'SIGKILL'),
    startAgain: async () => {
      server = await start();
    },
    drop: async () => {
      await store.close();
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
