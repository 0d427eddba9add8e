/** Lists of Azure, through all of their pages. */
import { call } from './errors.ts';

export async function listed<T>(what: string, pages: AsyncIterable<T>): Promise<readonly T[]> {
  return call(what, async () => {
    const all: T[] = [];
    for await (const one of pages) all.push(one);
    return all;
  });
}
