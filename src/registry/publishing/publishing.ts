import type { Store, Tx } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { Publishing } from '../contract/publishing.ts';
import { openBuild } from './open-build.ts';
import { openVersion } from './open-version.ts';
import { createTurns } from './turns.ts';
import { heartbeat, updateBuild } from './update-build.ts';

export function createPublishing(store: Store): Publishing {
  // Builds of one bucket end by the dozen: those that wait for its lock must not hold the connections that everybody else reads by.
  const inTurn = createTurns();
  const change = <T>({ project, bucket }: Place, work: (tx: Tx) => Promise<T>): Promise<T> =>
    inTurn(`${project}/${bucket}`, () => transact(store, work));
  return {
    openVersion: (input) => change(input, (tx) => openVersion(tx, input)),
    openBuild: (input) => change(input, (tx) => openBuild(tx, input)),
    async updateBuild(input) {
      if (await heartbeat(store.changes, input)) return;
      await change(input, (tx) => updateBuild(tx, input));
    },
  };
}

interface Place {
  readonly project: string;
  readonly bucket: string;
}
