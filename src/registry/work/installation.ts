import { sql } from 'kysely';
import type { Store } from '../../store/store.ts';
import type { Installation } from '../contract/installation.ts';

export function createInstallation({ db }: Store): Installation {
  return {
    async temporalNamespace(present, moveTo) {
      await db
        .insertInto('installation')
        .values({ temporal_namespace_id: present })
        .onConflict((on) => on.column('only_one').doNothing())
        .execute();
      if (moveTo === present) {
        await db
          .updateTable('installation')
          .set({ temporal_namespace_id: present, since: sql`clock_timestamp()` })
          .where('temporal_namespace_id', '<>', present)
          .execute();
      }
      const row = await db
        .selectFrom('installation')
        .select('temporal_namespace_id')
        .executeTakeFirstOrThrow();
      return row.temporal_namespace_id;
    },
  };
}
