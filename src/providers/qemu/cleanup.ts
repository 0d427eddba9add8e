/** What unfinished or forgotten work left in the store, by the mark it carries. */
import { basename, join } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import type { Target } from '../../domain/target.ts';
import type { Cleanup, Leftover, Machines } from '../provider.ts';
import { readJson } from './files.ts';
import type { LaunchRecord } from './launch-record.ts';
import { list, type Store } from './store.ts';

export function cleanup(store: Store, machines: Machines): Cleanup {
  return {
    async leftovers(mark, targets) {
      const [target] = targets;
      if (target === undefined) return [];
      const work = (await store.workOf(mark)).map((folder) =>
        leftover('unfinished work', basename(folder), target, mark),
      );
      return [...work, ...(await machinesOf(store, mark, target))];
    },
    async sweep({ kind, id, target }) {
      if (basename(id) !== id || id.startsWith('.')) {
        throw new Failure('invalid_input', `qemu: ${JSON.stringify(id)} is no leftover of this store`);
      }
      if (kind === 'machine') await machines.terminate(id, target);
      else await store.discard(store.path('incoming', id));
    },
  };
}

async function machinesOf(store: Store, mark: string, target: Target): Promise<readonly Leftover[]> {
  const names = await list(store.path('launches'));
  const records = await Promise.all(
    names.map((name) => readJson<LaunchRecord>(join(store.path('launches', name), 'launch.json'))),
  );
  return records.flatMap((record) =>
    record?.launchId === mark ? [leftover('machine', record.launchId, target, mark)] : [],
  );
}

function leftover(kind: string, id: string, target: Target, mark: string): Leftover {
  return { kind, id, target, mark };
}
