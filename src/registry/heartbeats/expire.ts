import { sql } from 'kysely';
import { system } from '../../domain/actor.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { lockVersion } from '../bakes/lock-version.ts';
import { recordAll } from '../record.ts';
import { expiry, silentSince } from './silence.ts';

interface Expired {
  readonly id: string;
  readonly source: string;
  readonly packerRunUuid: string | null;
  readonly heartbeatAt: string;
}

/** Answers how many. A heartbeat needs no lock of the version's: one that comes now is seen by the update itself, or comes too late. */
export async function expireBuilds(tx: Tx, versionId: string): Promise<number> {
  const version = await lockVersion(tx, versionId);
  if (version.requestId !== null) return 0;
  const now = await clock(tx);
  const { rows } = await sql<Expired>`
    update build b set state = 'cancelled', expired_at = ${now}, updated_at = ${now}
    where b.version_id = ${versionId} and b.state = 'running' and b.deleted_at is null
      and ${silentSince} + ${expiry} <= ${now}::timestamptz
    returning b.id, b.source, b.packer_run_uuid as "packerRunUuid", b.heartbeat_at as "heartbeatAt"`.execute(
    tx,
  );
  if (rows.length === 0) return 0;
  await tx.updateTable('version').set({ updated_at: now }).where('id', '=', versionId).execute();
  await recordAll(
    tx,
    rows.map(({ id, ...data }) => ({
      event: {
        kind: 'build.expired',
        project: version.project,
        bucket: version.bucket,
        versionId,
        subjectId: id,
        data: { fingerprint: version.fingerprint, ...data },
        by: system('heartbeats'),
        at: now,
      },
    })),
  );
  return rows.length;
}
