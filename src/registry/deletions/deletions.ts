import type { Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { Deletions } from '../contract/deletions.ts';
import { deleteBucket } from './bucket.ts';
import { deleteBuild } from './build.ts';
import { deleteVersion } from './version.ts';

export function createDeletions(store: Store): Deletions {
  return {
    version: (input) => transact(store, (tx) => deleteVersion(tx, input)),
    build: (input) => transact(store, (tx) => deleteBuild(tx, input)),
    bucket: (input) => transact(store, (tx) => deleteBucket(tx, input)),
  };
}
