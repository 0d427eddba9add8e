import type { Store, Tx } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { Config, RegistryConfig } from '../contract/config.ts';
import { createActivationCheck } from './activation.ts';
import { changeConfig, createAgain, replaceRunTaskSalt } from './change.ts';
import { loadConfig, lockConfig } from './load.ts';

export function createConfig(store: Store): Config {
  const activation = createActivationCheck(store.db);
  const change = async (
    project: string,
    work: (tx: Tx) => Promise<RegistryConfig>,
  ): Promise<RegistryConfig> => {
    const changed = await transact(store, work);
    activation.forget(project);
    return changed;
  };
  return {
    async get(project) {
      const known = await loadConfig(store.db, project);
      return known ?? transact(store, async (tx) => (await lockConfig(tx, project)).config);
    },
    create: (input) => change(input.project, (tx) => createAgain(tx, input)),
    change: (input) => change(input.project, (tx) => changeConfig(tx, input)),
    replaceRunTaskSalt: (input) => change(input.project, (tx) => replaceRunTaskSalt(tx, input)),
    requireActivated: (project) => activation.require(project),
  };
}
