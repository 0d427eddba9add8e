import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { useDatabase } from '../support/database.ts';
import type { Api } from './support/api.ts';
import { startApi, tokens } from './support/api.ts';
import { project } from '../registry/support/world.ts';

const database = useDatabase();
let api: Api;
let port: number;
let bucket: string;

beforeAll(async () => {
  api = startApi(database());
  bucket = await api.world.line();
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  const address = api.app.server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(() => api.app.close());

it('a client that is still sending a body that is too large reads why it is refused', async () => {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const chunks = 400;
  const socket = connect(port, '127.0.0.1');
  let said = '';
  socket.setEncoding('utf8').on('data', (text: string) => (said += text));
  const answered = once(socket, 'data');
  socket.write(
    `POST /api/v1/projects/${project}/buckets/${bucket}/requests HTTP/1.1\r\nhost: here\r\nauthorization: Bearer ${tokens.admin}\r\n` +
      `content-type: application/json\r\ncontent-length: ${chunk.length * chunks}\r\n\r\n`,
  );
  await answered;
  // Only now does it send: to a connection that was closed, this would fail.
  for (let sent = 0; sent < chunks; sent += 1) {
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  const next = once(socket, 'data');
  socket.write('GET /nothing HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n');
  await next;

  expect(said).toMatch(/^HTTP\/1\.1 413 /);
  expect(said).toContain('the body is larger than this operation takes');
  expect(said).toContain('HTTP/1.1 404 ');
  socket.destroy();
});
