import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import type { Tx } from '../../store/store.ts';
import { recordAll } from '../record.ts';

interface Ended {
  readonly id: string;
  readonly rootId: string;
  readonly versionId: string;
  readonly versionName: string;
  readonly bucket: string;
  readonly project: string;
  readonly reason: string;
  readonly by: Actor;
}

/** Notes the exemptions of these buckets that are over: one event each, which wakes nobody; the records that take effect do. */
export async function endExemptions(tx: Tx, bucketIds: readonly string[], now: string): Promise<void> {
  const { rows } = await sql<Ended>`
    update exemption e set materialised_at = ${now}
    from version v
      join bucket b on b.id = v.bucket_id
      join project p on p.id = b.project_id
    where v.id = e.version_id and v.bucket_id = any(${bucketIds}::text[]) and e.materialised_at is null and e.ends_at <= ${now}
    returning e.id, e.root_id as "rootId", e.version_id as "versionId", 'v' || coalesce(v.number, 0) as "versionName",
      b.name as bucket, p.name as project, e.reason, e.actor as by`.execute(tx);
  const granted = rows.filter((row) => row.id === row.rootId);
  await recordAll(
    tx,
    granted.map((row) => ({
      event: {
        kind: 'exemption.ended',
        project: row.project,
        bucket: row.bucket,
        versionId: row.versionId,
        subjectId: row.id,
        data: { version: row.versionName, reason: row.reason },
        by: row.by,
        at: now,
      },
    })),
  );
}
