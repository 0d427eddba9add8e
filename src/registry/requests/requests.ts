import { sql } from 'kysely';
import type { Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { Requests } from '../contract/requests.ts';
import { accept } from './accept.ts';
import { cancel, finish } from './finish.ts';
import { loadRequest, requestNotFound, selectRequests } from './load.ts';

export function createRequests(store: Store): Requests {
  const { db, changes } = store;
  const get: Requests['get'] = async (project, requestId) => {
    const request = await loadRequest(db, requestId);
    // Another project's request is not told from none.
    if (request.project !== project) throw requestNotFound(requestId);
    return request;
  };
  return {
    accept: (input) => transact(store, (tx) => accept(tx, input)),
    get,
    byId: (requestId) => loadRequest(db, requestId),
    async pins(requestId) {
      const row = await db
        .selectFrom('request')
        .select('pins')
        .where('id', '=', requestId)
        .executeTakeFirst();
      if (row === undefined) throw requestNotFound(requestId);
      return row.pins;
    },
    async list(project, { bucket, state, limit = 50 }) {
      let query = selectRequests(db).where('project.name', '=', project);
      if (bucket !== undefined) query = query.where('bucket.name', '=', bucket);
      if (state !== undefined) query = query.where(sql<string>`request.state`, '=', state);
      return query.orderBy('request.id', 'desc').limit(Math.min(limit, 500)).execute();
    },
    async setStage(requestId, attempt, stage) {
      await changes
        .updateTable('request_attempt')
        .set({ stage: stage.slice(0, 500) })
        .where('request_id', '=', requestId)
        .where('attempt', '=', attempt)
        .where('state', '=', 'open')
        .execute();
    },
    async isCancelWanted(requestId, attempt) {
      // Waits for a cancellation that is being written: it reads the claims after it has locked this row.
      const row = await changes
        .selectFrom('request')
        .select(['attempt', 'cancel_wanted'])
        .where('id', '=', requestId)
        .forShare()
        .executeTakeFirst();
      if (row === undefined) throw requestNotFound(requestId);
      return row.attempt === attempt && row.cancel_wanted;
    },
    async cancel(project, requestId, by) {
      await get(project, requestId);
      await transact(store, (tx) => cancel(tx, requestId, by));
      return get(project, requestId);
    },
    finish: (requestId, attempt, outcome) => transact(store, (tx) => finish(tx, requestId, attempt, outcome)),
    async openAttempts(limit) {
      return db
        .selectFrom('request_attempt')
        .where('state', '=', 'open')
        .select((row) => [
          'request_id as requestId',
          'attempt',
          'workflow_id as workflowId',
          row
            .exists(
              row
                .selectFrom('delivery')
                .select('delivery.id')
                .where('delivery.state', '=', 'pending')
                .where('delivery.action', '=', 'start')
                .whereRef('delivery.workflow_id', '=', 'request_attempt.workflow_id'),
            )
            .$castTo<boolean>()
            .as('startPending'),
        ])
        .orderBy('created_at')
        .limit(limit)
        .execute();
    },
  };
}
