/** Commands in the guest, over SSH with a pinned host key. No shell on our side: the command is one SSH exec request. */
import ssh2, { type ClientChannel } from 'ssh2';
import { Failure } from '../../domain/failure.ts';
import type { CommandResult } from '../provider.ts';

export interface GuestAddress {
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
  /** Base64 bodies of the host keys that are accepted; empty: the first one seen, to be pinned from then on. */
  readonly hostKeys: readonly string[];
}

export interface GuestCommand {
  readonly command: string;
  /** For connecting and running together. */
  readonly timeoutMs: number;
  readonly connectMs: number;
  readonly signal: AbortSignal;
}

export type GuestAnswer =
  | { readonly kind: 'answered'; readonly result: CommandResult; readonly hostKey: string }
  | { readonly kind: 'unreachable'; readonly why: string }
  | { readonly kind: 'timed out' };

const keptBytes = 64 * 1024;

/** Throws `test_failed` when the host key is another one, and the signal's reason when it aborts. */
export async function askGuest(address: GuestAddress, ask: GuestCommand): Promise<GuestAnswer> {
  ask.signal.throwIfAborted();
  const client = new ssh2.Client();
  let hostKey = '';
  let strange = false;
  const pending = new Promise<GuestAnswer>((resolve, reject) => {
    const timer = setTimeout(resolve, ask.timeoutMs, { kind: 'timed out' });
    const abort = (): void => reject(ask.signal.reason);
    ask.signal.addEventListener('abort', abort, { once: true });
    client.on('close', () => {
      clearTimeout(timer);
      ask.signal.removeEventListener('abort', abort);
      resolve({ kind: 'unreachable', why: 'the connection was closed' });
    });
    client.on('error', (error) => resolve({ kind: 'unreachable', why: error.message }));
    client.on('ready', () => {
      client.exec(ask.command, (error, channel) => {
        if (error !== undefined) return resolve({ kind: 'unreachable', why: error.message });
        onResult(channel, (result) => resolve({ kind: 'answered', result, hostKey }));
      });
    });
  });
  client.connect({
    host: '127.0.0.1',
    port: address.port,
    username: address.user,
    privateKey: address.privateKey,
    readyTimeout: Math.min(ask.connectMs, ask.timeoutMs),
    hostVerifier: (key: Buffer) => {
      hostKey = key.toString('base64');
      strange = address.hostKeys.length > 0 && !address.hostKeys.includes(hostKey);
      return !strange;
    },
  });
  try {
    const answer = await pending;
    if (strange) {
      throw new Failure(
        'test_failed',
        `qemu: the machine on port ${address.port} shows another host key than it printed on its console: something else answers there, or a check replaced the key`,
      );
    }
    return answer;
  } finally {
    client.end();
    client.destroy();
  }
}

function onResult(channel: ClientChannel, done: (result: CommandResult) => void): void {
  let stdout = Buffer.alloc(0);
  let stderr = Buffer.alloc(0);
  let exitCode = 255;
  channel.on('data', (chunk: Buffer) => {
    stdout = newest(stdout, chunk);
  });
  channel.stderr.on('data', (chunk: Buffer) => {
    stderr = newest(stderr, chunk);
  });
  channel.on('exit', (code: number | null) => {
    // SSH names the signal that ended a command, not its number.
    exitCode = code ?? 128;
  });
  channel.on('close', () => done({ exitCode, stdout: stdout.toString(), stderr: stderr.toString() }));
  channel.end();
}

function newest(kept: Buffer, chunk: Buffer): Buffer<ArrayBuffer> {
  return Buffer.concat([kept, chunk]).subarray(-keptBytes);
}
