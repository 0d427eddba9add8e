import type { Db } from '../../store/store.ts';
import { lineageOf } from '../revocations/family.ts';
import { getRecord } from '../revocations/rows.ts';
import { identifyAll } from '../version-identity.ts';

export interface CascadeStep {
  readonly versionId: string;
  readonly bucket: string;
  readonly versionName: string;
  readonly depth: number;
}

/**
 * The versions that hold a record of the same root, lifted ones too, from the record's own version down, nearest first. For an
 * inherited record (a late child, the end of an exemption) that is the part of the lineage below it.
 */
export async function cascadePlan(db: Db, recordId: string): Promise<readonly CascadeStep[]> {
  const record = await getRecord(db, recordId);
  const holders = await db
    .selectFrom('revocation')
    .select('version_id')
    .where('root_id', '=', record.root_id)
    .execute();
  const held = new Set(holders.map((row) => row.version_id));
  const steps = (await lineageOf(db, record.version_id)).filter((step) => held.has(step.versionId));
  const named = await identifyAll(
    db,
    steps.map((step) => step.versionId),
  );
  const byId = new Map(named.map((one) => [one.id, one]));
  return steps.flatMap(({ versionId, depth }) => {
    const one = byId.get(versionId);
    return one === undefined ? [] : [{ versionId, bucket: one.bucket, versionName: one.name, depth }];
  });
}
