/** Packer in a bake of ours hands its credentials to whatever its template starts. */
import { Failure } from '../../domain/failure.ts';
import type { Principal } from '../principals.ts';
import type { HcpRoute } from './descriptors/route.ts';

/** Throws `permission_denied` where a bake's principal asks for more than reads and to publish the version of its bake. */
export function refuseBeyondBake(
  { method, fromBakes, operation }: Pick<HcpRoute, 'method' | 'fromBakes' | 'operation'>,
  { attemptId, ownVersion: own, name }: Principal,
  project: string,
  path: Readonly<Record<string, string>>,
): void {
  if (attemptId === undefined) return;
  if (method === 'GET' || fromBakes === 'reads' || fromBakes === 'changes nothing') return;
  const isOwn =
    own?.project === project && own.bucket === path['bucket_name'] && own.fingerprint === path['fingerprint'];
  if (fromBakes === 'own version' && isOwn) return;
  throw new Failure(
    'permission_denied',
    `${name} may not do this (${operation}): it was made for a bake, and may read and publish the version of that bake only`,
  );
}
