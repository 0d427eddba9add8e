/** The least that such a server does, in a process of its own: fastify, the same look at the token, `select 1`. Sends its port. */
import { once } from 'node:events';
import { fastify } from 'fastify';
import { sql } from 'kysely';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { openStore } from '../../src/store/pool.ts';
import { identify, servicePrincipals } from '../../src/http/principals.ts';

const [url = ''] = process.argv.slice(2);
const store = openStore(url, { name: 'floor' });
const principals = servicePrincipals(createRegistry(store).tokens);
const app = fastify({ logger: false });
app.get('/floor', async (request) => {
  await identify(principals, request.headers.authorization);
  const { rows } = await sql`select 1 as one`.execute(store.db);
  return rows[0];
});
process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }));
await once(process, 'disconnect');
await app.close();
await store.close();
