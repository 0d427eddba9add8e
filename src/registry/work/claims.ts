import { sql } from 'kysely';
import { toInstant } from '../../domain/instant.ts';
import type { Store } from '../../store/store.ts';
import { clock, transact } from '../../store/transaction.ts';
import type { Claims } from '../contract/claims.ts';
import { abandonClaim } from './abandon-claim.ts';

/** Every change but one is one statement: there is nothing else to lock. */
export function createClaims(store: Store): Claims {
  const { db } = store;
  const holder = async (subject: string) => {
    const row = await db
      .selectFrom('claim')
      .select('workflow_id')
      .where('subject', '=', subject)
      .executeTakeFirst();
    return row?.workflow_id;
  };
  return {
    async claim(subject, workflowId) {
      for (;;) {
        await db
          .insertInto('claim')
          .values({ subject, workflow_id: workflowId })
          .onConflict((on) => on.column('subject').doNothing())
          .execute();
        const heldBy = await holder(subject);
        if (heldBy === workflowId) return { held: true };
        if (heldBy !== undefined) return { held: false, heldBy };
        // Given back between the two statements: it is free again.
      }
    },
    async release(subject, workflowId) {
      await db
        .deleteFrom('claim')
        .where('subject', '=', subject)
        .where('workflow_id', '=', workflowId)
        .execute();
    },
    abandon: (subject, workflowId) => transact(store, (tx) => abandonClaim(tx, subject, workflowId)),
    async takeOver(subject, from, to) {
      const { numUpdatedRows } = await db
        .updateTable('claim')
        .set({ workflow_id: to, claimed_at: sql`clock_timestamp()` })
        .where('subject', '=', subject)
        .where('workflow_id', '=', from)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    holder,
    async list(olderThanMs, limit, after) {
      const before = toInstant(Date.parse(await clock(db)) - olderThanMs);
      let query = db
        .selectFrom('claim')
        .select(['subject', 'workflow_id as workflowId', 'claimed_at as claimedAt'])
        .where('claimed_at', '<=', before);
      if (after !== undefined) query = query.where('subject', '>', after);
      return query.orderBy('subject').limit(limit).execute();
    },
  };
}
