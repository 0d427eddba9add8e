/**
 * QEMU's monitor, for one question: which local port it forwards to the guest's SSH. QEMU is told to take any free port, so
 * nobody can take it between choosing and listening. https://www.qemu.org/docs/master/interop/qmp-spec.html
 */
import { open } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';

const answerMs = 5_000;

interface Reply {
  readonly QMP?: unknown;
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

/** Undefined while QEMU does not listen yet, or no longer. */
export async function forwardedSshPort(folder: string): Promise<number | undefined> {
  const text = await monitorCommand(folder, 'info usernet');
  // "  TCP[HOST_FORWARD]  12       127.0.0.1 40123       10.0.2.15    22     0     0"
  const port =
    text === undefined ? undefined : /HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)\s+\S+\s+22\s/.exec(text)?.[1];
  return port === undefined ? undefined : Number(port);
}

async function monitorCommand(folder: string, commandLine: string): Promise<string | undefined> {
  // A socket's path is limited to 108 bytes; this one is short wherever the store is.
  const handle = await open(folder, 'r').catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    return await converse(createConnection(`/proc/self/fd/${handle.fd}/qmp.sock`), commandLine);
  } finally {
    await handle.close();
  }
}

function converse(socket: Socket, commandLine: string): Promise<string | undefined> {
  const requests = [
    { execute: 'qmp_capabilities' },
    { execute: 'human-monitor-command', arguments: { 'command-line': commandLine } },
  ];
  return new Promise((resolve) => {
    const finish = (answer: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(finish, answerMs, undefined);
    socket.on('error', () => finish(undefined));
    socket.on('close', () => finish(undefined));
    let unread = '';
    socket.on('data', (chunk: Buffer) => {
      const lines = `${unread}${chunk.toString()}`.split('\n');
      unread = lines.pop() ?? '';
      for (const line of lines) {
        const reply: Reply = JSON.parse(line);
        if (reply.error !== undefined) return finish(undefined);
        if (typeof reply.return === 'string') return finish(reply.return);
        // The greeting and the answer to the first request each ask for the next; events do not.
        const next = reply.QMP === undefined && reply.return === undefined ? undefined : requests.shift();
        if (next !== undefined) socket.write(`${JSON.stringify(next)}\n`);
      }
    });
  });
}
