import type { Tx } from '../../store/store.ts';
import { lockSet } from '../revocations/family.ts';
import { identifyWithParents } from '../version-identity.ts';

/**
 * Locks the buckets of a version, of the parents that its ancestry names and of those it is about to be given; then the versions. Answers
 * the parents: none of them is revoked, lifted or exempted while the locks are held.
 */
export async function lockWithParents(
  tx: Tx,
  versionId: string,
  more: readonly string[] = [],
): Promise<readonly string[]> {
  const found = await lockSet(tx, () => identifyWithParents(tx, versionId, more));
  return found.map(({ id }) => id).filter((id) => id !== versionId);
}
