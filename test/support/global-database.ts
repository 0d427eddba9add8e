import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { Client } from 'pg';
import { startEmbedded } from '../../src/store/embedded.ts';
import { migrate } from '../../src/store/migrate.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A server on which databases may be made; each test file clones `databaseTemplate`. */
    databaseServer: string;
    databaseTemplate: string;
  }
}

interface Server {
  readonly url: string;
  readonly template: string;
  end(): Promise<void>;
}

/** One server for the whole run, whichever suites ask for it, in whichever order they end. */
const shared: typeof globalThis & { bakehouseServer?: { users: number; server: Promise<Server> } } =
  globalThis;

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const one = (shared.bakehouseServer ??= { users: 0, server: start() });
  one.users += 1;
  const server = await one.server;
  project.provide('databaseServer', server.url);
  project.provide('databaseTemplate', server.template);
  return async () => {
    one.users -= 1;
    if (one.users > 0) return;
    delete shared.bakehouseServer;
    await server.end();
  };
}

async function start(): Promise<Server> {
  const own = process.env['TEST_DATABASE_URL'];
  const server = own === undefined ? await embedded() : { url: own, end: async () => undefined };
  const template = `bakehouse_template_${randomBytes(5).toString('hex')}`;
  try {
    await admin(server.url, `create database ${template}`);
    const url = new URL(server.url);
    url.pathname = `/${template}`;
    await migrate(url.href);
  } catch (error) {
    await server.end();
    throw error;
  }
  return {
    url: server.url,
    template,
    end: async () => {
      if (own !== undefined) await admin(server.url, `drop database ${template}`);
      await server.end();
    },
  };
}

async function embedded(): Promise<{ url: string; end(): Promise<void> }> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'bakehouse-test-pg-'));
  const server = await startEmbedded({
    dataDir,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
  }).catch(async (error: unknown) => {
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  });
  return {
    url: server.url,
    end: async () => {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
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
