import { ulid } from 'ulid';
import type { Actor } from '../../domain/actor.ts';
import type { Tx } from '../../store/store.ts';
import type { VersionIdentity } from '../version-identity.ts';

export interface NewRecord {
  readonly id: string;
  readonly kind: 'explicit' | 'policy';
  readonly dueAt: string;
  readonly reason: string;
  readonly rollBack: boolean;
  readonly descendants: boolean;
  readonly by: Actor;
  /** The instant of writing. */
  readonly now: string;
}

const atOnce = 1_000;

/** Writes a record for its version, and an inherited one for each heir, in a few statements. */
export async function writeRecords(
  tx: Tx,
  record: NewRecord,
  versionId: string,
  heirs: readonly VersionIdentity[],
): Promise<void> {
  const row = (id: string, version: string) => ({
    id,
    version_id: version,
    kind: id === record.id ? record.kind : ('inherited' as const),
    root_id: record.id,
    due_at: record.dueAt,
    reason: record.reason,
    roll_back: record.rollBack,
    descendants: record.descendants,
    actor: JSON.stringify(record.by),
    created_at: record.now,
  });
  const rows = [row(record.id, versionId), ...heirs.map((heir) => row(ulid(), heir.id))];
  for (let from = 0; from < rows.length; from += atOnce) {
    await tx
      .insertInto('revocation')
      .values(rows.slice(from, from + atOnce))
      .execute();
  }
}
