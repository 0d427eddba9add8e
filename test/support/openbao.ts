/** A real OpenBao of one's own: sealed and unsealed with one key, its data on a disk, so that it can be stopped and started too. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openBaoPath } from '../../scripts/setup/openbao.ts';
import { freePort } from './temporal-server.ts';

type Json = Readonly<Record<string, unknown>>;

/** As much of an answer as tests look at. */
export interface Reply {
  readonly root_token: string;
  readonly keys_base64: readonly string[];
  readonly wrap_info: { readonly token: string };
  readonly auth: { readonly accessor: string };
  readonly data: {
    readonly role_id: string;
    readonly secret_id: string;
    readonly keys: readonly string[];
    readonly ttl: number;
    readonly meta: Readonly<Record<string, string>> | null;
  };
}

export interface OpenBao {
  readonly address: string;
  readonly rootToken: string;
  readonly pid: number;
  /** With the root token; answers the body, throws what is not 2xx. */
  readonly write: (path: string, body?: Json, headers?: Record<string, string>) => Promise<Reply>;
  readonly read: (path: string, token?: string) => Promise<Reply>;
  /** `undefined` when there are none. */
  list(path: string): Promise<readonly string[]>;
  seal(): Promise<void>;
  unseal(): Promise<void>;
  stop(): Promise<void>;
}

export async function startOpenBao(): Promise<OpenBao> {
  const program = openBaoPath();
  if (!existsSync(program)) throw new Error('OpenBao is missing: run `npm run setup -- --for-tests`');
  const folder = mkdtempSync(join(tmpdir(), 'bakehouse-openbao-'));
  const [port, clusterPort] = [await freePort(), await freePort()];
  const address = `http://127.0.0.1:${port}`;
  mkdirSync(join(folder, 'data'));
  const config = {
    storage: { raft: { path: join(folder, 'data'), node_id: 'test', performance_multiplier: 1 } },
    listener: { tcp: { address: `127.0.0.1:${port}`, tls_disable: true } },
    api_addr: address,
    cluster_addr: `http://127.0.0.1:${clusterPort}`,
    disable_mlock: true,
    log_level: 'warn',
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const child = spawn(program, ['server', `-config=${join(folder, 'config.json')}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', HOME: folder },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
  }
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    rmSync(folder, { recursive: true, force: true });
  };

  const call = async (
    method: string,
    path: string,
    body?: Json,
    headers: Record<string, string> = {},
  ): Promise<Reply> => {
    const response = await fetch(`${address}/v1/${path}`, {
      method,
      headers: { 'X-Vault-Token': rootToken, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text === '' ? '{}' : text);
  };
  const until = async (what: string, isSo: () => Promise<boolean>) => {
    const end = Date.now() + 30_000;
    while (!(await isSo().catch(() => false))) {
      if (Date.now() > end || child.exitCode !== null)
        throw new Error(`OpenBao is not ${what}; it said: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const isActive = async () => (await fetch(`${address}/v1/sys/health`)).status === 200;

  let rootToken = '';
  let key = '';
  try {
    await until('there', async () => (await fetch(`${address}/v1/sys/health`)).status === 501);
    const made = await call('POST', 'sys/init', { secret_shares: 1, secret_threshold: 1 });
    rootToken = made.root_token;
    key = made.keys_base64[0] ?? '';
    await call('POST', 'sys/unseal', { key });
    await until('unsealed', isActive);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    address,
    rootToken,
    pid: child.pid ?? 0,
    write: (path, body = {}, headers = {}) => call('POST', path, body, headers),
    read: (path, token = rootToken) => call('GET', path, undefined, { 'X-Vault-Token': token }),
    list: async (path) =>
      call('LIST', path).then(
        (answer) => answer.data.keys,
        (error: unknown) => {
          if (error instanceof Error && error.message.includes(': 404 ')) return [];
          throw error;
        },
      ),
    async seal() {
      await call('POST', 'sys/seal');
    },
    async unseal() {
      await call('POST', 'sys/unseal', { key });
      await until('unsealed', isActive);
    },
    stop,
  };
}
