import type { Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { Webhooks } from '../contract/webhooks.ts';
import { createWebhook, removeWebhook, renameWebhook, updateWebhook } from './change.ts';
import { endDelivery, findWanted, recordAttempt } from './deliver.ts';
import { loadDeliveries, loadWebhook, loadWebhooks, noSuchWebhook } from './rows.ts';

export function createWebhooks(store: Store): Webhooks {
  return {
    create: (input) => transact(store, (tx) => createWebhook(tx, input)),
    get: (project, name) => loadWebhook(store.db, project, name),
    list: (project) => loadWebhooks(store.db, project),
    async sealedKey(project, name) {
      const row = await store.db
        .selectFrom('webhook')
        .innerJoin('project', 'project.id', 'webhook.project_id')
        .where('project.name', '=', project)
        .where('webhook.name', '=', name)
        .select('sealed_key')
        .executeTakeFirst();
      if (row === undefined) throw noSuchWebhook(name);
      return row.sealed_key;
    },
    update: (input) => transact(store, (tx) => updateWebhook(tx, input)),
    rename: (input) => transact(store, (tx) => renameWebhook(tx, input)),
    remove: (input) => transact(store, (tx) => removeWebhook(tx, input)),
    deliveries: (project, name, page) => loadDeliveries(store.db, project, name, page),
    wanted: (deliveryId) => findWanted(store.db, deliveryId),
    recordAttempt: (deliveryId, attempt) => transact(store, (tx) => recordAttempt(tx, deliveryId, attempt)),
    end: (deliveryId, state, why) => transact(store, (tx) => endDelivery(tx, deliveryId, state, why)),
  };
}
