import type { Actor } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { toInstant } from '../../domain/instant.ts';
import type { Tx } from '../../store/store.ts';
import type { ClientSecret, NewSecret, ServicePrincipal } from '../contract/principals.ts';
import { record } from '../record.ts';
import { writeSecret } from './create.ts';
import { loadPrincipal } from './load.ts';
import { lockAtHome, unknownPrincipal } from './lock.ts';

interface Rotation {
  readonly project: string;
  readonly principal: string;
  readonly secret: NewSecret;
  readonly graceMs: number;
  readonly by: Actor;
}

export async function rotateSecret(tx: Tx, input: Rotation): Promise<ServicePrincipal> {
  const { id, name, place, now, revokedAt, attemptId } = await lockAtHome(tx, input);
  // Its secret ends with its bake.
  if (attemptId !== null) throw unknownPrincipal(place.name, input.principal);
  if (revokedAt !== null) {
    throw new Failure(
      'illegal_state',
      `Principal "${name}" is revoked since ${revokedAt}, for good. Make a new one for it.`,
    );
  }
  const before = await loadPrincipal(tx, place, id);
  if (before.secrets.some(({ clientId }) => clientId === input.secret.clientId)) return before;
  const endsAt = toInstant(Date.parse(now) + input.graceMs);
  const { ended, ending } = fates(before.secrets, input.graceMs, now);
  // With their tokens: what is gone can be used by nobody, whatever a later change forgets to ask.
  await tx
    .deleteFrom('principal_secret')
    .where('principal_id', '=', id)
    .where('client_id', 'in', ended.length === 0 ? [''] : ended)
    .execute();
  await tx
    .updateTable('principal_secret')
    .set({ ends_at: endsAt })
    .where('principal_id', '=', id)
    .where('ends_at', 'is', null)
    .execute();
  await writeSecret(tx, id, input.secret, now);
  await record(tx, {
    kind: 'principal.rotated',
    project: place.name,
    subjectId: id,
    data: { principal: name, clientId: input.secret.clientId, ended, ending, endsAt },
    by: input.by,
    at: now,
  });
  return loadPrincipal(tx, place, id);
}

/**
 * What becomes of the secrets that are there. One that is ending keeps its end, since callers were promised it. The newest gets the grace, unless it
 * never got a token while another one still works: then it is the answer of a rotation that got lost, and no grace may be spent on it.
 */
function fates(
  secrets: readonly ClientSecret[],
  graceMs: number,
  now: string,
): { readonly ended: readonly string[]; readonly ending: readonly string[] } {
  const works = ({ endsAt }: ClientSecret): boolean =>
    graceMs > 0 && (endsAt === null || Date.parse(endsAt) > Date.parse(now));
  const inUse = secrets.some((one) => one.endsAt !== null && works(one));
  const goesOn = (one: ClientSecret): boolean =>
    works(one) && (one.endsAt !== null || one.usedAt !== null || !inUse);
  return {
    ended: secrets.filter((one) => !goesOn(one)).map(({ clientId }) => clientId),
    ending: secrets.filter(goesOn).map(({ clientId }) => clientId),
  };
}
