/** Azure has no conditional writes for galleries, so what reads, changes and writes one thing waits here for its turn. */
const tails = new Map<string, Promise<unknown>>();

/** Within this process only; between processes a writer reads again and is retried when its change was lost. */
export async function oneAtATime<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = tails.get(key) ?? Promise.resolve();
  const mine = before.then(work);
  const tail = mine.catch(() => undefined);
  tails.set(key, tail);
  try {
    return await mine;
  } finally {
    if (tails.get(key) === tail) tails.delete(key);
  }
}
