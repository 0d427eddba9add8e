import { rmSync, mkdtempSync, existsSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { startServer } from '../../src/http/main.ts';
import type { RunningServer } from '../../src/http/main.ts';
import { useDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';
import { freePort } from '../support/temporal-server.ts';

const database = useDatabase();
const running: RunningServer[] = [];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-server-'));
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(over: Readonly<Record<string, string | undefined>> = {}): Promise<RunningServer> {
  const settings = loadSettings({
    DATABASE_URL: database().url,
    // Nobody listens there: readers must not need Temporal.
    TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_LISTEN: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_TOKEN: 'a-token',
    BAKEHOUSE_DATA_DIR: folder,
    BAKEHOUSE_READY_FILE: path.join(folder, 'ready'),
    ...over,
  });
  const server = startServer(settings, quietLog().log);
  running.push(server);
  return server;
}

describe('the server process', () => {
  it('answers readers while Temporal is away, and leaves nothing when it is stopped', async () => {
    const server = await start();
    const url = await server.address;
    await server.ready;

    expect(existsSync(path.join(folder, 'ready'))).toBe(true);
    const client = createClient({ url, token: 'a-token' });
    expect(await client.getOutbox({})).toMatchObject({ count: 0 });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);

    await server.stop();
    expect(existsSync(path.join(folder, 'ready'))).toBe(false);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
  });

  it('refuses a port in use, naming it and the setting', async () => {
    const holder = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => {
      holder.listen(port, '127.0.0.1', () => resolve());
    });
    const server = await start({ BAKEHOUSE_LISTEN: `127.0.0.1:${port}` });
    running.pop();

    await expect(server.finished).rejects.toMatchObject({
      code: 'illegal_state',
      message: `port ${port} on 127.0.0.1 is in use: stop what listens there, or set BAKEHOUSE_LISTEN to another host:port`,
    });
    holder.close();
  });

  it.each([
    ['no token', { BAKEHOUSE_TOKEN: undefined }, /BAKEHOUSE_TOKEN is not set/],
    ['no database', { DATABASE_URL: undefined }, /DATABASE_URL is not set/],
  ])('refuses to start with %s', async (_, over, message) => {
    const server = await start(over);
    running.pop();

    await expect(server.finished).rejects.toThrow(message);
  });

  it('waits for PostgreSQL, and stops while it waits', async () => {
    const server = await start({ DATABASE_URL: `postgres://x:secret@127.0.0.1:${await freePort()}/x` });

    const first = await Promise.race([
      server.ready.then(() => 'ready'),
      new Promise((resolve) => {
        setTimeout(resolve, 500, 'waiting');
      }),
    ]);
    expect(first).toBe('waiting');
    await server.stop();
    await expect(server.finished).resolves.toBeUndefined();
  });
});
