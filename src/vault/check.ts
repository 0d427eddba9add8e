/** All that can be known before Packer starts of whether its secrets can be issued. Nothing is leased. */
import { Failure } from '../domain/failure.ts';
import { type Api, asBake } from './api.ts';
import { attemptToken, endToken, type IssueDeps, secondsOf, tooShort, valuesOf } from './issue.ts';
import { checkKind, kvPath, type Mount, mountOf, readKv } from './read-secrets.ts';
import { engineMaximum } from './lease-maximum.ts';
import type { Issuing, SecretValues } from './vault.ts';
import type { Whose } from './errors.ts';

/** The attempt's token is really made, in the same way and with the same life, because only that tells whether Vault gives it; then ended. */
export async function check(deps: IssueDeps, issuing: Issuing): Promise<SecretValues> {
  const { session } = deps;
  await session.use(({ token }) => demand(deps.api, token, 'our login', revoking));
  const api = asBake(deps.api);
  const token = await attemptToken(deps, issuing);
  try {
    const paths = new Map(issuing.secrets.map(({ from }) => [from.path, from.kind]));
    const mounts = new Map<string, Mount>();
    for (const [path, kind] of paths) {
      const mount = await mountOf(api, token, path);
      checkKind(mount, kind, path);
      mounts.set(path, mount);
    }
    const needed = [...paths].map(([path, kind]) => {
      const mount = mounts.get(path);
      return { path: kind === 'kv' && mount !== undefined ? kvPath(mount, path) : path, capability: 'read' };
    });
    const leases = [...paths].filter(([, kind]) => kind === 'lease').map(([path]) => path);
    const own = leases.length === 0 ? ending : [...ending, prolonging];
    await demand(api, token, "the bake's token", [...needed, ...own]);
    for (const path of leases) {
      const mount = mounts.get(path);
      if (mount !== undefined) await checkEngine(api, token, path, mount, secondsOf(issuing));
    }
    const kept = issuing.secrets.filter(({ from }) => from.kind === 'kv');
    return await valuesOf(kept, {
      kv: async (path) => readKv(api, token, mounts.get(path) ?? (await mountOf(api, token, path)), path),
      lease: () => Promise.resolve({}),
    });
  } finally {
    await endToken(api, token);
  }
}

interface Needed {
  readonly path: string;
  readonly capability: string;
}

/** Without these, what was issued could not be ended from another host. */
const revoking: readonly Needed[] = [
  { path: 'auth/token/revoke-accessor', capability: 'update' },
  { path: 'sys/leases/revoke', capability: 'update' },
];

/** What the bake's token does with itself and its leases. Vault's policy `default` has it; a token role may leave that one out. */
const ending: readonly Needed[] = [
  { path: 'auth/token/renew-self', capability: 'update' },
  { path: 'auth/token/revoke-self', capability: 'update' },
];
const prolonging: Needed = { path: 'sys/leases/renew', capability: 'update' };

/** https://developer.hashicorp.com/vault/api-docs/system/capabilities-self */
async function demand(api: Api, token: string, who: Whose, needed: readonly Needed[]): Promise<void> {
  const paths = needed.map(({ path }) => path);
  const what = `ask what ${who} may do`;
  const { data } = await api({ method: 'POST', path: 'sys/capabilities-self', token, body: { paths }, what });
  const missing = needed.filter(({ path, capability }) => {
    const has = data?.[path];
    return !Array.isArray(has) || !(has.includes(capability) || has.includes('root'));
  });
  if (missing.length === 0) return;
  const list = missing.map(({ path, capability }) => `"${capability}" on ${path}`).join(', ');
  throw new Failure('provider_credentials', `${who} lacks ${list} in Vault: add it to its policy`);
}

async function checkEngine(
  api: Api,
  token: string,
  path: string,
  mount: Mount,
  seconds: number,
): Promise<void> {
  const { maxLeaseSeconds } = mount;
  if (maxLeaseSeconds !== undefined && maxLeaseSeconds < seconds) {
    throw tooShort(`the lease of ${path}`, seconds, maxLeaseSeconds, `raise max_lease_ttl of ${mount.path}`);
  }
  const ofEngine = await engineMaximum(api, token, path, mount);
  if (ofEngine !== undefined && ofEngine.seconds < seconds) {
    throw tooShort(`the lease of ${path}`, seconds, ofEngine.seconds, `raise ${ofEngine.where}`);
  }
}
