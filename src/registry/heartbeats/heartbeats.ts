import { sql } from 'kysely';
import { epochMs } from '../../domain/instant.ts';
import type { Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { Heartbeats } from '../contract/heartbeats.ts';
import { expireBuilds } from './expire.ts';
import { expiry, markServer, silentSince } from './silence.ts';

export function createHeartbeats(store: Store): Heartbeats {
  return {
    async serverIsUp() {
      await markServer.execute(store.db);
    },
    async nextExpiry(versionId) {
      const { rows } = await sql<{ dueAt: string | null; now: string }>`
        select date_trunc('milliseconds', min(${silentSince} + ${expiry})) as "dueAt",
          date_trunc('milliseconds', clock_timestamp()) as now
        from build b join version v on v.id = b.version_id
        where v.id = ${versionId} and v.deleted_at is null and v.request_id is null
          and b.state = 'running' and b.deleted_at is null`.execute(store.db);
      const [row] = rows;
      if (row === undefined || row.dueAt === null) return undefined;
      return { dueAt: row.dueAt, waitMs: Math.max(0, epochMs(row.dueAt) - epochMs(row.now)) };
    },
    expire: (versionId) => transact(store, (tx) => expireBuilds(tx, versionId)),
  };
}
