/** Ports for what `up` starts: the one asked for, else the one of last time, else the usual one, else a free one. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { Failure } from '../../domain/failure.ts';
import type { UpFolder } from './folder.ts';
import { readJson, writeJson } from './folder.ts';

export interface PortWish {
  /** Key in the record of last time. */
  readonly name: string;
  /** The setting that asks for it. */
  readonly setting: string;
  readonly host: string;
  readonly asked: number | undefined;
  readonly usual: number;
}

/** A port that was asked for and is in use is refused; any other one is replaced. Nothing of ours may be running. */
export async function choosePorts(
  folder: UpFolder,
  wishes: readonly PortWish[],
): Promise<Readonly<Record<string, number>>> {
  const file = join(folder.run, 'ports.json');
  const last = readJson(file) ?? {};
  const chosen: Record<string, number> = {};
  for (const wish of wishes) chosen[wish.name] = await choose(wish, last[wish.name], Object.values(chosen));
  writeJson(file, { ...last, ...chosen });
  return chosen;
}

async function choose(wish: PortWish, last: unknown, taken: readonly number[]): Promise<number> {
  const { asked, host, setting, usual } = wish;
  if (asked !== undefined) {
    if (await isFree(host, asked)) return asked;
    throw new Failure(
      'illegal_state',
      `port ${asked} on ${host} is in use: stop what listens there, or set ${setting} to another port`,
    );
  }
  for (const port of [last, usual]) {
    if (typeof port === 'number' && !taken.includes(port) && (await isFree(host, port))) return port;
  }
  return anyFree(host);
}

async function isFree(host: string, port: number): Promise<boolean> {
  try {
    await listenOnce(host, port);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    const message = `cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}`;
    throw new Failure('invalid_input', message, { cause: error });
  }
}

const anyFree = (host: string): Promise<number> => listenOnce(host, 0);

async function listenOnce(host: string, port: number): Promise<number> {
  const server = createServer();
  server.listen({ host, port, exclusive: true });
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : port;
}
