import type { Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { Vulnerabilities } from '../contract/vulnerabilities.ts';
import { takeAdvisories } from './take.ts';

export const createVulnerabilities = (store: Store): Vulnerabilities => ({
  take: (input) => transact(store, (tx) => takeAdvisories(tx, input)),
});
