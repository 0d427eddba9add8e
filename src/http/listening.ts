/** How ports are taken, and what is said when they cannot be had. */
import { once } from 'node:events';
import type { Server } from 'node:net';
import { Failure } from '../domain/failure.ts';

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Answers the port, the real one where 0 was asked for. `setting`: what asks for another one. */
export async function listening(server: Server, { host, port }: Place, setting: string): Promise<number> {
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (error) {
    throw portRefusal(error, { host, port }, setting);
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** The error itself when it is not about the port. */
export function portRefusal(error: unknown, { host, port }: Place, setting: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') return error;
  const why = {
    EADDRINUSE: `port ${port} on ${host} is in use: stop what listens there`,
    EACCES: `this user may not listen on port ${port}: take one above 1024`,
    EADDRNOTAVAIL: `${host} is no address of this machine`,
  }[code];
  return new Failure('illegal_state', `${why}, or set ${setting} to another host:port`, { cause: error });
}
