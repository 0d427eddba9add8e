import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';
import { sqlState } from '../unavailable.ts';

/**
 * One starter at a time per folder. A name in the kernel's abstract socket space is taken by one process only and is free at
 * its death, however it died: no stale lock file to judge. Answers the release.
 */
export async function lockStarter(folder: string, waitMs: number): Promise<() => Promise<void>> {
  const key = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex')
    .slice(0, 32);
  const until = Date.now() + waitMs;
  for (;;) {
    const server = net.createServer((socket) => socket.destroy());
    try {
      server.listen(`\0bakehouse-postgres-${key}`);
      await once(server, 'listening');
      server.unref();
      return async () => {
        server.close();
        await once(server, 'close');
      };
    } catch (error) {
      if (sqlState(error) !== 'EADDRINUSE') throw error;
    }
    if (Date.now() > until) {
      throw new Failure(
        'conflict',
        `Another process has been starting the PostgreSQL of ${folder} for ${Math.round(waitMs / 1000)} s. Wait for it, or end it, and start again.`,
      );
    }
    await sleep(100);
  }
}
