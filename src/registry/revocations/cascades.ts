import { sql } from 'kysely';
import type { Tx } from '../../store/store.ts';
import type { DueRecord } from './due-records.ts';

/** A cascade to start: the record whose plan it follows, and the change it follows it for. */
export interface Cascade {
  readonly recordId: string;
  readonly change: string;
}

/**
 * Which of the records that take effect start a cascade, by record id. Each (record, change) does so once for ever: it is noted on the
 * record, under its lock, so that neither a second transaction nor a child that inherits at this moment can be missed or doubled.
 */
export async function claimCascades(
  tx: Tx,
  due: readonly DueRecord[],
  late: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Cascade>> {
  const leads = await leadsOfExemptions(tx, due);
  const causes = Map.groupBy(due, (one) => {
    if (one.exemptionId !== null) {
      return keyOf(
        leads.get(leadKey(one.exemptionId, one.rootId)) ?? one.recordId,
        `exemption-${one.exemptionId}`,
      );
    }
    return keyOf(late.has(one.recordId) ? one.recordId : one.rootId, 'effective');
  });
  const wanted = [...causes.keys()].map(fromKey);
  const started = await claim(tx, wanted);
  const claimed = new Map<string, Cascade>();
  for (const [key, records] of causes) {
    const first = records.find((one) => one.recordId === fromKey(key).recordId) ?? records[0];
    if (first !== undefined && started.has(key)) claimed.set(first.recordId, fromKey(key));
  }
  return claimed;
}

/** Notes cascades on their records; answers those that were not noted before. */
async function claim(tx: Tx, wanted: readonly Cascade[]): Promise<ReadonlySet<string>> {
  const ids = [...new Set(wanted.map(({ recordId }) => recordId))];
  const { rows } = await sql<{ id: string; cascades: readonly string[] }>`
    select id, cascades from revocation where id = any(${ids}::text[]) order by id for no key update`.execute(
    tx,
  );
  const known = new Map(rows.map((row) => [row.id, row.cascades]));
  const fresh = wanted.filter(({ recordId, change }) => known.get(recordId)?.includes(change) === false);
  for (const [change, cascades] of Map.groupBy(fresh, (one) => one.change)) {
    await sql`
      update revocation set cascades = array_append(cascades, ${change})
      where id = any(${cascades.map(({ recordId }) => recordId)}::text[])`.execute(tx);
  }
  return new Set(fresh.map(({ recordId, change }) => keyOf(recordId, change)));
}

/** The end of an exemption is led by the exempted version's own record of the same root, where there is one: its plan covers the rest. */
async function leadsOfExemptions(tx: Tx, due: readonly DueRecord[]): Promise<ReadonlyMap<string, string>> {
  const exempted = due.filter((one) => one.exemptionId !== null);
  if (exempted.length === 0) return new Map();
  const rows = await tx
    .selectFrom('exemption as e')
    .innerJoin('revocation as r', 'r.version_id', 'e.version_id')
    .select(['e.id as exemptionId', 'r.root_id as rootId', 'r.id as recordId'])
    .where(sql<boolean>`e.id = any(${[...new Set(exempted.map((one) => one.exemptionId ?? ''))]}::text[])`)
    .execute();
  return new Map(rows.map((row) => [leadKey(row.exemptionId, row.rootId), row.recordId]));
}

const leadKey = (exemptionId: string, rootId: string): string => `${exemptionId} ${rootId}`;
const keyOf = (recordId: string, change: string): string => `${recordId} ${change}`;

function fromKey(key: string): Cascade {
  const [recordId = '', change = ''] = key.split(' ');
  return { recordId, change };
}
