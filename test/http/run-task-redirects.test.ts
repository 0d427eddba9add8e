/** Where plans are had from, for run tasks of HCP Terraform: what a redirect is told. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createListener, type AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { makeAuthority, makeServerCertificate } from '../../src/http/tls/authority.ts';
import { fetchPlan } from '../../src/webhooks/run-tasks.ts';

const { signal } = new AbortController();
const open: { close(): void }[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const one of open.splice(0)) one.close();
});

/** `https` and `http` at one port, as a host has them at the ports that nobody writes. */
async function listen(answer: RequestListener): Promise<number> {
  const now = Date.now();
  const { key, cert } = await makeServerCertificate(await makeAuthority(now), ['127.0.0.1'], now);
  const [plain, secure] = [createServer(answer), createTlsServer({ key, cert }, answer)];
  const listener = createListener((socket) => {
    socket.once('readable', () => {
      const first: unknown = socket.read(1);
      if (!Buffer.isBuffer(first)) return;
      socket.unshift(first);
      (first[0] === 0x16 ? secure : plain).emit('connection', socket);
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  open.push(listener);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  return (listener.address() as AddressInfo).port;
}

it('is not told the token by http, where https of the same host was', async () => {
  // The certificate is nobody's.
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  const asked: (readonly [string | undefined, string | undefined])[] = [];
  const port = await listen(({ url, headers }, response) => {
    asked.push([url, headers.authorization]);
    const next = { '/plan': `https://127.0.0.1:${port}/same`, '/same': `http://127.0.0.1:${port}/plain` };
    const location = url === '/plan' || url === '/same' ? next[url] : undefined;
    if (location === undefined) response.end('{"a":1}');
    else response.writeHead(307, { location }).end();
  });

  expect(await fetchPlan(`https://127.0.0.1:${port}/plan`, 'a-token', signal)).toEqual({ a: 1 });
  expect(asked).toEqual([
    ['/plan', 'Bearer a-token'],
    ['/same', 'Bearer a-token'],
    ['/plain', undefined],
  ]);
});

it.each(['http://[', 'file:///etc/passwd'])('does not follow %s, and says why', async (location) => {
  const port = await listen((_, response) => response.writeHead(302, { location }).end());

  await expect(fetchPlan(`http://127.0.0.1:${port}/plan`, 'a-token', signal)).rejects.toMatchObject({
    code: 'provider_unavailable',
    message: `127.0.0.1:${port} redirects to what is no http or https address`,
  });
});
