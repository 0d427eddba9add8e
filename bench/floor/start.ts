import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface FloorWorker extends AsyncDisposable {
  /** When each `fired` ran, epoch milliseconds. */
  readonly fired: readonly number[];
}

export async function startFloorWorker(address: string): Promise<FloorWorker> {
  const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), [address], { stdio: 'inherit' });
  const fired: number[] = [];
  const ready = Promise.withResolvers<void>();
  child.on('message', (message: 'ready' | { readonly firedAt: number }) => {
    if (message === 'ready') ready.resolve();
    else fired.push(message.firedAt);
  });
  child.once('exit', () => ready.reject(new Error('the bare worker ended')));
  ready.promise.catch(() => undefined);
  await ready.promise;
  return {
    fired,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
