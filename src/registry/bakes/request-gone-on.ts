import type { Tx } from '../../store/store.ts';
import type { LockedVersion } from './lock-version.ts';

/**
 * Where the version's request is, when it is not open at the attempt that opened the version; undefined while it is, or there is none.
 * Of an adopted version each attempt takes up the same one.
 */
export async function requestGoneOn(
  tx: Tx,
  { id, requestId, attempt }: Pick<LockedVersion, 'id' | 'requestId' | 'attempt'>,
): Promise<string | undefined> {
  const request = await tx
    .selectFrom('request')
    .select(['id', 'state', 'attempt'])
    .where((one) => (requestId === null ? one('adopted_version_id', '=', id) : one('id', '=', requestId)))
    .executeTakeFirst();
  if (request === undefined) return undefined;
  if (request.state === 'open' && (requestId === null || request.attempt === attempt)) return undefined;
  return `request ${request.id} is ${request.state} at attempt ${request.attempt}`;
}
