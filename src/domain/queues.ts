import type { Target } from './target.ts';

/** Temporal task queues, in one place. */
export const queues = {
  /** Workflows and light activities (registry, gates). */
  main: 'bakehouse',
  /** One bake host's own: Packer, and machines of providers whose machines live on the host. Stable over restarts. */
  host: (hostId: string) => `bake-host/${hostId}`,
  /** Calls to one cloud account and region; rate limits hang on it. */
  cloud: (target: Target) => `cloud/${target.provider}/${target.account}/${target.region}`,
} as const;
