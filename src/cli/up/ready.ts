/** How `up` knows that a part does its work. */
import { existsSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Until the part has written its file. A file of an earlier process is removed by calling this before the start. */
export function readyFileOf(path: string): (signal: AbortSignal) => Promise<void> {
  rmSync(path, { force: true });
  return (signal) => until(signal, () => Promise.resolve(existsSync(path)));
}

/** Until the address answers 200. */
export function answersAt(url: string): (signal: AbortSignal) => Promise<void> {
  return (signal) =>
    until(signal, async () => {
      const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) });
      await response.body?.cancel();
      return response.ok;
    });
}

async function until(signal: AbortSignal, isSo: () => Promise<boolean>): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    if (await isSo().catch(() => false)) return;
    await sleep(100, undefined, { signal });
  }
}
