import type { BuildState, VersionState } from './version.ts';

/** How a version stands, in HCP's words; its registry writes them with `VERSION_` in front, its webhooks without. */
export type VersionStatus =
  'RUNNING' | 'CANCELLED' | 'FAILED' | 'REVOKED' | 'REVOCATION_SCHEDULED' | 'ACTIVE' | 'INCOMPLETE';

/** What is revoked, or going to be, says that before all else; what is not complete stands as its builds do. */
export function versionStatus({
  revocation,
  state,
  builds,
}: {
  readonly revocation: { readonly state: 'scheduled' | 'revoked' } | null;
  readonly state: VersionState;
  readonly builds: readonly { readonly state: BuildState }[];
}): VersionStatus {
  if (revocation !== null) return revocation.state === 'revoked' ? 'REVOKED' : 'REVOCATION_SCHEDULED';
  if (state === 'complete') return 'ACTIVE';
  if (state === 'failed') return 'FAILED';
  if (state === 'cancelled') return 'CANCELLED';
  const has = (wanted: BuildState) => builds.some((build) => build.state === wanted);
  if (has('running')) return 'RUNNING';
  if (has('failed')) return 'FAILED';
  if (has('cancelled')) return 'CANCELLED';
  // Without any build it was opened just now; with nothing but done ones it is being completed.
  return has('pending') ? 'INCOMPLETE' : 'RUNNING';
}
