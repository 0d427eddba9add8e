/** TLS beside the plain listener: another door to the same routes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import { Failure } from '../../domain/failure.ts';
import type { Logger } from '../../observe/logger.ts';
import { listening } from '../listening.ts';
import type { KeyPair } from './authority.ts';

export interface TlsListener<Shown extends KeyPair> {
  readonly port: number;
  /** What clients are shown now, as it was read last. */
  shown(): Shown;
  /** Answers under way are finished; those that take longer than the grace, in milliseconds, are cut. */
  close(graceMs: number): Promise<void>;
}

/** How long it waits for clients, in milliseconds, as the plain listener does. */
export interface Timeouts {
  readonly keepAliveTimeout: number;
  readonly headersTimeout: number;
  readonly requestTimeout: number;
}

export interface TlsListenerOptions<Shown extends KeyPair> {
  readonly host: string;
  readonly port: number;
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  readonly timeouts?: Timeouts;
  readonly pair: Shown;
  /** The certificate as it is now: its files may have been replaced, or its end may be near. */
  readonly renew: () => Promise<Shown>;
  readonly log: Logger;
  /** Milliseconds between looks for a new certificate; an hour when absent. */
  readonly renewEveryMs?: number;
}

const contextOf = ({ key, cert }: KeyPair) => ({ key, cert, minVersion: 'TLSv1.2' }) as const;
/** Milliseconds until a client that connected and says nothing is let go; Node would wait for two minutes. */
const handshakeTimeout = 10_000;

/** Throws `illegal_state` for a port that cannot be had, `invalid_input` for a certificate that is none. */
export async function listenTls<Shown extends KeyPair>(
  options: TlsListenerOptions<Shown>,
): Promise<TlsListener<Shown>> {
  const { host, port, handler, renew, log, renewEveryMs = 3_600_000 } = options;
  let shown = options.pair;
  const server = serverWith(shown, handler);
  if (options.timeouts !== undefined) takeTimeouts(server, options.timeouts);
  const sockets = socketsOf(server);
  const taken = await listening(server, { host, port }, 'BAKEHOUSE_TLS_LISTEN');
  const timer = setInterval(() => void look(), renewEveryMs).unref();

  async function look(): Promise<void> {
    try {
      const fresh = await renew();
      const isSame = fresh.cert === shown.cert && fresh.key === shown.key;
      // Throws for a half-written file; the old certificate goes on until the next look.
      if (!isSame) server.setSecureContext(contextOf(fresh));
      shown = fresh;
      if (!isSame) log.info('the TLS certificate was replaced');
    } catch (error) {
      log.warn({ err: error }, 'the TLS certificate could not be read again; the one before is shown on');
    }
  }

  return {
    port: taken,
    shown: () => shown,
    async close(graceMs) {
      clearInterval(timer);
      await ended(server, sockets, graceMs);
    },
  };
}

/** Each by its name: what is given may be a whole server. */
function takeTimeouts(server: Server, { keepAliveTimeout, headersTimeout, requestTimeout }: Timeouts): void {
  Object.assign(server, { keepAliveTimeout, headersTimeout, requestTimeout });
}

function serverWith(pair: KeyPair, handler: TlsListenerOptions<KeyPair>['handler']): Server {
  try {
    return createServer({ ...contextOf(pair), handshakeTimeout }, handler);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(
      'invalid_input',
      `the TLS certificate cannot be used (${why}): BAKEHOUSE_TLS_CERT and BAKEHOUSE_TLS_KEY must be PEM and belong together`,
      { cause: error },
    );
  }
}

/** All that are open. The server itself knows those that are past the handshake only, and its end waits for the others too. */
function socketsOf(server: Server): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return open;
}

async function ended(server: Server, sockets: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  const cut = setTimeout(() => {
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  try {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
  } finally {
    clearTimeout(cut);
  }
}
