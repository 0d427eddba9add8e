import type { BuildState } from './version.ts';

/** Done is final; what failed or was cancelled may run again, which resumes its version. */
const moves: Readonly<Record<BuildState, readonly BuildState[]>> = {
  pending: ['running', 'failed', 'cancelled'],
  running: ['done', 'failed', 'cancelled'],
  failed: ['running'],
  cancelled: ['running'],
  done: [],
};

export interface BuildStanding {
  readonly state: BuildState;
  /** It was cancelled for its silence, and not by the run that makes it. */
  readonly expired: boolean;
  readonly packerRunUuid: string | null;
}

/**
 * Whether a build may enter a state. The run of a build that was cancelled for its silence may still end it: its image is there, and nobody
 * asked for the cancellation.
 */
export function mayEnter(
  build: BuildStanding,
  state: BuildState,
  packerRunUuid: string | undefined,
): boolean {
  const isOwnRun = build.expired && packerRunUuid !== undefined && packerRunUuid === build.packerRunUuid;
  return moves[isOwnRun ? 'running' : build.state].includes(state) || moves[build.state].includes(state);
}

/** Of Packer's platforms, whose plugins name them; what is not known here is a provider of its own name. */
const providers: ReadonlyMap<string, string> = new Map([['gce', 'gcp']]);

/** The provider of a build's images. */
export function providerOf(platform: string | null): string {
  return platform === null ? 'unknown' : (providers.get(platform) ?? platform);
}
