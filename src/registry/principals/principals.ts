import type { Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { ServicePrincipals } from '../contract/principals.ts';
import { findProject } from '../tenancy/projects.ts';
import { createPrincipal } from './create.ts';
import { listPrincipals } from './load.ts';
import { revokePrincipal } from './revoke.ts';
import { setRoles } from './roles.ts';
import { rotateSecret } from './rotate.ts';

export function createPrincipals(store: Store): ServicePrincipals {
  return {
    create: (input) => transact(store, (tx) => createPrincipal(tx, input)),
    list: async (project) => listPrincipals(store.db, await findProject(store.db, project)),
    setRoles: (input) => transact(store, (tx) => setRoles(tx, input)),
    rotate: (input) => transact(store, (tx) => rotateSecret(tx, input)),
    revoke: (input) => transact(store, (tx) => revokePrincipal(tx, input)),
  };
}
