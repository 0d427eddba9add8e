/** How long an engine lets its leases live, as far as the bake's token may read it: who may not hears of it when the lease is taken. */
import { Failure } from '../domain/failure.ts';
import type { Answer, Api } from './api.ts';
import type { Mount } from './read-secrets.ts';

export interface LeaseMaximum {
  readonly seconds: number;
  /** What to raise, as in `max_ttl of its role`. */
  readonly where: string;
}

/** `database/creds/bake` is made by `database/roles/bake`. Undefined: no limit, or none that can be read. */
export async function engineMaximum(
  api: Api,
  token: string,
  path: string,
  mount: Mount,
): Promise<LeaseMaximum | undefined> {
  const [, verb, role] = /^(creds|sts)\/([^/]+)$/.exec(path.slice(mount.path.length)) ?? [];
  if (role === undefined) return undefined;
  const at = `${mount.path}roles/${role}`;
  const found = await readable(api, token, at, `read the role of ${path}`);
  if (found === 'absent') {
    const message = `there is no role ${role} in ${mount.path} of Vault: make it, or correct \`secrets\``;
    throw new Failure('invalid_input', message);
  }
  if (mount.type !== 'aws') return limit(found?.['max_ttl'], 'max_ttl of its role');
  const types = [found?.['credential_types'] ?? found?.['credential_type'] ?? 'iam_user'].flat();
  const isUser = verb === 'creds' && types.includes('iam_user');
  if (!isUser) return limit(found?.['max_sts_ttl'], 'max_sts_ttl of its role');
  // https://developer.hashicorp.com/vault/api-docs/secret/aws#configure-lease
  const lease = await readable(api, token, `${mount.path}config/lease`, `read the longest lease of ${path}`);
  return lease === 'absent'
    ? undefined
    : limit(lease?.['lease_max'], `lease_max of ${mount.path}config/lease`);
}

async function readable(
  api: Api,
  token: string,
  path: string,
  what: string,
): Promise<Answer['data'] | 'absent'> {
  try {
    return (await api({ method: 'GET', path, token, what })).data;
  } catch (error) {
    if (error instanceof Failure && error.code === 'provider_credentials') return undefined;
    if (error instanceof Failure && error.code === 'invalid_input') return 'absent';
    throw error;
  }
}

function limit(told: unknown, where: string): LeaseMaximum | undefined {
  const seconds = secondsIn(told);
  return seconds > 0 ? { seconds, where } : undefined;
}

/** Vault tells seconds, or a duration as Go writes it: `768h0m0s`. 0: neither. */
function secondsIn(told: unknown): number {
  if (typeof told === 'number') return told;
  if (typeof told !== 'string') return 0;
  if (/^\d+$/.test(told)) return Number(told);
  const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };
  return [...told.matchAll(/([\d.]+)(h|m|s)(?![a-z])/g)]
    .map(([, count = '', unit = '']) => Number(count) * (units[unit] ?? 0))
    .reduce((sum, one) => sum + one, 0);
}
