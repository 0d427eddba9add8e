import { afterEach, describe, expect, it } from 'vitest';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { buildApp } from '../../src/http/app.ts';
import { keysFrom } from '../../src/http/keys.ts';
import { tokenPrincipals } from '../../src/http/principals.ts';
import { openStore } from '../../src/store/pool.ts';
import type { Store } from '../../src/store/store.ts';
import { useDatabase } from '../support/database.ts';
import { freePort } from '../support/temporal-server.ts';

const database = useDatabase();
const open: Store[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.close()));
});

const appOn = (store: Store) =>
  buildApp({
    registry: createRegistry(store),
    principals: tokenPrincipals([]),
    keys: keysFrom('unused'),
    resolveCommit: () => Promise.reject(new Error('not used here')),
    checkLines: () => undefined,
  });

describe('health', () => {
  it('is alive and ready with PostgreSQL, without Temporal and without a token', async () => {
    const app = appOn(database().store);

    expect((await app.inject('/healthz')).json()).toEqual({ ok: true });
    const ready = await app.inject('/readyz');
    expect(ready.statusCode).toBe(200);
    expect(ready.json()).toMatchObject({ ok: true, databaseTime: expect.stringMatching(/^\d{4}-.*Z$/) });
    await app.close();
  });

  it('is alive and not ready while PostgreSQL is away; callers are told to come again', async () => {
    const store = openStore(`postgres://nobody:secret@127.0.0.1:${await freePort()}/nothing`);
    open.push(store);
    const app = appOn(store);

    expect((await app.inject('/healthz')).statusCode).toBe(200);
    const ready = await app.inject('/readyz');
    expect(ready.statusCode).toBe(503);
    expect(ready.json()).toMatchObject({ code: 14 });
    expect(ready.body).not.toContain('secret');
    await app.close();
  });
});
