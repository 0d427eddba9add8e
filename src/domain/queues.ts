import type { Target } from './target.ts';

const cloud = ({ provider, account, region }: Target) => `cloud/${provider}/${account}/${region}`;

/** Temporal task queues, in one place. */
export const queues = {
  /** Workflows and light activities (registry, gates). */
  main: 'bakehouse',
  /** One bake host's own: Packer, and machines of providers whose machines live on the host. Stable over restarts. */
  host: (hostId: string) => `bake-host/${hostId}`,
  /** Calls to one cloud account and region; rate limits hang on it. */
  cloud: (target: Target) => cloud(target),
  /** Steps there that wait (a copy, a boot, commands in a guest): hours of them must not hold up a call. */
  cloudWaits: (target: Target) => `${cloud(target)}/waits`,
} as const;
