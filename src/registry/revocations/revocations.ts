import type { Version } from '../../domain/version.ts';
import type { Revocations } from '../contract/revocations.ts';
import type { Db, Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import { exempt } from '../exemptions/exempt.ts';
import { createMaterialiser } from '../materialise-due.ts';
import { identify } from '../version-identity.ts';
import { bucketsDueOf } from './due-records.ts';
import { nextDue } from './next-due.ts';
import { reschedule } from './reschedule.ts';
import { lift, restore } from './restore.ts';
import { revoke } from './revoke.ts';
import { recordsOf, toRecord } from './rows.ts';

/** `loadVersion`: the version as every reader sees it. */
export function createRevocations(
  store: Store,
  loadVersion: (db: Db, versionId: string) => Promise<Version>,
): Revocations {
  const materialise = createMaterialiser(store);
  return {
    revoke: (input) =>
      transact(store, async (tx) => {
        const record = toRecord(await revoke(tx, input));
        return { record, version: await loadVersion(tx, input.versionId) };
      }),
    reschedule: (...given) => transact(store, async (tx) => toRecord(await reschedule(tx, ...given))),
    lift: (...given) => transact(store, async (tx) => toRecord(await lift(tx, ...given))),
    restore: (versionId, ...given) =>
      transact(store, async (tx) => {
        await restore(tx, versionId, ...given);
        return loadVersion(tx, versionId);
      }),
    exempt: (input) => transact(store, (tx) => exempt(tx, input)),
    records: async (versionId) => {
      await identify(store.db, versionId);
      return (await recordsOf(store.db, versionId)).map(toRecord);
    },
    nextDue: (versionId) => nextDue(store.db, versionId),
    materialiseDue: async (watching) => {
      const { done: materialised, failed } = await materialise();
      if (watching !== undefined && failed.size > 0) {
        const [own] = await bucketsDueOf(store.db, watching, [...failed.keys()]);
        if (own !== undefined) throw failed.get(own);
      }
      const next = watching === undefined ? undefined : await nextDue(store.db, watching);
      return { materialised, early: next?.waitMs ?? 0 };
    },
  };
}
