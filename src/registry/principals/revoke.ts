import type { Actor } from '../../domain/actor.ts';
import type { Tx } from '../../store/store.ts';
import type { ServicePrincipal } from '../contract/principals.ts';
import { record } from '../record.ts';
import { loadPrincipal } from './load.ts';
import { lockAtHome } from './lock.ts';

/** Its row stays, because events name it. Its secrets go, and its tokens and roles with them. */
export async function revokePrincipal(
  tx: Tx,
  input: {
    readonly project: string;
    readonly principal: string;
    readonly reason: string;
    readonly by: Actor;
  },
): Promise<ServicePrincipal> {
  const { id, name, place, now, revokedAt } = await lockAtHome(tx, input);
  if (revokedAt !== null) return loadPrincipal(tx, place, id);
  const { secrets } = await loadPrincipal(tx, place, id);
  await tx.updateTable('principal').set({ revoked_at: now }).where('id', '=', id).execute();
  await tx.deleteFrom('principal_secret').where('principal_id', '=', id).execute();
  await tx.deleteFrom('principal_role').where('principal_id', '=', id).execute();
  await record(tx, {
    kind: 'principal.revoked',
    project: place.name,
    subjectId: id,
    data: { principal: name, clientIds: secrets.map(({ clientId }) => clientId), reason: input.reason },
    by: input.by,
    at: now,
  });
  return loadPrincipal(tx, place, id);
}
