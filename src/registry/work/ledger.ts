import { toInstant } from '../../domain/instant.ts';
import type { Store } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { Ledger, LedgerEntry } from '../contract/ledger.ts';

export function createLedger(store: Store): Ledger {
  const { db } = store;
  const closing = async () =>
    db
      .updateTable('ledger')
      .set({ state: 'closed', closed_at: await clock(db) })
      .where('state', '=', 'open');
  return {
    async open({ id, owner, kind, mark, target }) {
      await db
        .insertInto('ledger')
        .values({
          id,
          owner,
          kind,
          mark,
          provider: target?.provider ?? null,
          account: target?.account ?? null,
          region: target?.region ?? null,
          state: 'open',
          created_at: await clock(db),
        })
        // A closed entry is not opened again by a late repeat.
        .onConflict((on) => on.column('id').doNothing())
        .execute();
    },
    async close(id) {
      await (await closing()).where('id', '=', id).execute();
    },
    async closeOwner(owner) {
      await (await closing()).where('owner', '=', owner).where('kind', '<>', 'credential').execute();
    },
    async listOpen({ owner, olderThanMs } = {}) {
      let query = db.selectFrom('ledger').selectAll().where('state', '=', 'open');
      if (owner !== undefined) query = query.where('owner', '=', owner);
      if (olderThanMs !== undefined) {
        query = query.where('created_at', '<=', toInstant(Date.parse(await clock(db)) - olderThanMs));
      }
      const rows = await query.orderBy('created_at').orderBy('id').execute();
      return rows.map(
        ({
          id,
          owner: of,
          kind,
          mark,
          provider,
          account,
          region,
          state,
          created_at,
          closed_at,
        }): LedgerEntry => ({
          id,
          owner: of,
          kind,
          mark,
          target:
            provider === null || account === null || region === null ? null : { provider, account, region },
          state,
          createdAt: created_at,
          closedAt: closed_at,
        }),
      );
    },
  };
}
