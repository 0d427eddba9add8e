import type { Tx } from '../../store/store.ts';
import type { LockedVersion } from './lock-version.ts';

/** Where the version's request is, when it is not open at the attempt that opened the version; undefined while it is, or there is none. */
export async function requestGoneOn(
  tx: Tx,
  { requestId, attempt }: Pick<LockedVersion, 'requestId' | 'attempt'>,
): Promise<string | undefined> {
  if (requestId === null) return undefined;
  const request = await tx
    .selectFrom('request')
    .select(['state', 'attempt'])
    .where('id', '=', requestId)
    .executeTakeFirstOrThrow();
  if (request.state === 'open' && request.attempt === attempt) return undefined;
  return `request ${requestId} is ${request.state} at attempt ${request.attempt}`;
}
