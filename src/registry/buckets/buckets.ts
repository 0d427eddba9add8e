import type { Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { Buckets } from '../contract/buckets.ts';
import { createBucket } from './create.ts';
import { describeBucket } from './describe.ts';

export function createBuckets(store: Store): Buckets {
  return {
    create: (input) => transact(store, (tx) => createBucket(tx, input)),
    describe: (input) => transact(store, (tx) => describeBucket(tx, input)),
  };
}
