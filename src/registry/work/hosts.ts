import { sql } from 'kysely';
import { toInstant } from '../../domain/instant.ts';
import type { Store } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { BakeHost, Hosts } from '../contract/hosts.ts';

/** A host that was not seen for this long is not given new work. */
const seenWithinMs = 15_000;

const columns = ['bake_host.id', 'bake_host.name', 'builders', 'slots', 'seen_at as seenAt'] as const;

export function createHosts(store: Store): Hosts {
  const { db } = store;
  return {
    async beat({ id, name, builders, slots }) {
      const now = { name, builders: JSON.stringify(builders), slots, seen_at: await clock(db) };
      await db
        .insertInto('bake_host')
        .values({ id, ...now })
        .onConflict((on) => on.column('id').doUpdateSet(now))
        .execute();
    },
    async pick({ builders, except }): Promise<BakeHost | undefined> {
      const seenSince = toInstant(Date.parse(await clock(db)) - seenWithinMs);
      const load = sql<number>`(
        select count(*) from bake_attempt a where a.host_id = bake_host.id and a.state = 'current'
      )`;
      let query = db
        .selectFrom('bake_host')
        .select(columns)
        .where('seen_at', '>=', seenSince)
        .where(sql<boolean>`builders @> ${JSON.stringify(builders)}::jsonb`)
        .where(sql<boolean>`${load} < slots`);
      if (except.length > 0) query = query.where('id', 'not in', except);
      // By free share, so that a large host takes more; equal ones by chance, so that two pickers do not agree on one.
      return query
        .orderBy(sql`${load}::float / slots, random()`)
        .limit(1)
        .executeTakeFirst();
    },
    async list() {
      return db.selectFrom('bake_host').select(columns).orderBy('name').orderBy('id').execute();
    },
  };
}
