/**
 * The credentials of one attempt: a token of its own, everything read and leased under it, and a mark of each recorded before it counts.
 *
 * **What a crash can leave.** The token is made with a minute to live, its accessor is recorded, and only then is it renewed to the bake's
 * whole lifetime: killed in between, it ends by itself and nothing hangs on it. A lease is recorded as soon as Vault has answered it;
 * killed in between, it ends with the token, whose accessor is known. So nothing of it needs to be looked for in Vault.
 *
 * **Why the whole lifetime at once.** The worker may be away while Packer runs on, so nobody is there who could renew. A child ends with the
 * token that made it, so without a token role that makes orphans our own login must last as long.
 *
 * Tokens: https://developer.hashicorp.com/vault/api-docs/auth/token#create-token
 */
import { Failure } from '../domain/failure.ts';
import { type Answer, type Api, asBake, type Auth } from './api.ts';
import { isRefused, saidBy } from './errors.ts';
import { checkKind, fieldOf, type Leased, type Mount, mountOf, readKv, takeLease } from './read-secrets.ts';
import type { Session } from './session.ts';
import type { Issuing, SecretValues, Vault, WantedSecret } from './vault.ts';

export interface IssueDeps {
  readonly api: Api;
  readonly session: Session;
  readonly tokenRole: string | undefined;
}

/** What a token lives until its accessor is recorded: longer than a slow database takes, short enough to be forgotten. */
export const firstSeconds = 60;

export async function issue(deps: IssueDeps, issuing: Issuing): Promise<SecretValues> {
  const api = asBake(deps.api);
  const token = await attemptToken(deps, issuing);
  const mountFor = async (kind: 'kv' | 'lease', path: string): Promise<Mount> => {
    const mount = await mountOf(api, token, path);
    checkKind(mount, kind, path);
    return mount;
  };
  try {
    return await valuesOf(issuing.secrets, {
      kv: async (path) => readKv(api, token, await mountFor('kv', path), path),
      lease: async (path) => {
        const leased = await takeLease(api, token, await mountFor('lease', path), path, wishOf(issuing));
        await issuing.record(`lease ${leased.leaseId}`);
        await lastingLease(api, token, path, leased, secondsOf(issuing));
        return leased.fields;
      },
    });
  } catch (error) {
    await endToken(deps.api, token);
    throw error;
  }
}

export const secondsOf = ({ lifetimeMs }: Pick<Issuing, 'lifetimeMs'>): number =>
  Math.ceil(lifetimeMs / 1000);

/**
 * Only an AWS engine is told. What it gives is a session's time that is left when Vault has it, by AWS's clock, and STS makes none of less
 * than 15 min. Source: AssumeRole in the STS API reference.
 */
const wishOf = (issuing: Issuing): number => Math.max(900, secondsOf(issuing) + 60);

/** Each path is asked once, so that a user name and its password belong together. */
export async function valuesOf(
  secrets: readonly WantedSecret[],
  read: Readonly<Record<'kv' | 'lease', (path: string) => Promise<Readonly<Record<string, unknown>>>>>,
): Promise<SecretValues> {
  const fields = new Map<string, Readonly<Record<string, unknown>>>();
  const values = new Map<string, string>();
  for (const secret of secrets) {
    const { kind, path } = secret.from;
    const key = `${kind} ${path}`;
    const known = fields.get(key) ?? (await read[kind](path));
    fields.set(key, known);
    if (secret.optional === true && (known[secret.from.key] ?? '') === '') continue;
    values.set(secret.name, fieldOf(known, secret));
  }
  return values;
}

/** A child of our login, recorded, that lives as long as the bake may. */
export async function attemptToken(
  { api, session, tokenRole }: IssueDeps,
  issuing: Issuing,
): Promise<string> {
  const seconds = secondsOf(issuing);
  let madeAt = Date.now();
  const create = (parent: string) => {
    madeAt = Date.now();
    return createToken(api, parent, tokenRole, issuing);
  };
  const made =
    tokenRole === undefined
      ? await session.lasting((seconds + firstSeconds) * 1000, ({ token }) => create(token))
      : await session.use(({ token }) => create(token));
  const token = made.client_token;
  try {
    if (tokenRole !== undefined && made.orphan !== true) {
      const message = `tokens of the token role ${tokenRole} end with our login, in the middle of a bake: set orphan=true on it`;
      throw new Failure('illegal_state', message);
    }
    await issuing.record(`token ${made.accessor}`);
    const given = await renewedFor(api, token, seconds).catch((error: unknown) => {
      // It has ended by itself meanwhile; whoever tries again makes another one.
      if (!isRefused(error) || Date.now() - madeAt < firstSeconds * 1000) throw error;
      const message = `the bake's token ended before it was recorded: the registry took longer than ${firstSeconds} s; another one is made`;
      throw new Failure('provider_unavailable', message);
    });
    if (given !== 0 && given < seconds) {
      const where =
        tokenRole === undefined ? 'of our login and of auth/token' : `of the token role ${tokenRole}`;
      throw tooShort("the bake's token", seconds, given, `raise the longest lifetime ${where}`);
    }
    return token;
  } catch (error) {
    await endToken(api, token);
    throw error;
  }
}

/** Seconds that it lives from now on; 0: for ever. */
async function renewedFor(api: Api, token: string, seconds: number): Promise<number> {
  const what = "give the bake's token its time";
  const body = { increment: `${seconds}s` };
  const call = { method: 'POST', path: 'auth/token/renew-self', token, body, what } as const;
  const { auth } = await asBake(api)(call);
  if (auth !== null && auth !== undefined) return auth.lease_duration;
  throw new Failure('provider_credentials', `cannot ${what}: Vault does not say how long it lives now`);
}

async function createToken(
  api: Api,
  parent: string,
  role: string | undefined,
  issuing: Issuing,
): Promise<Auth> {
  const { auth } = await api({
    method: 'POST',
    path: role === undefined ? 'auth/token/create' : `auth/token/create/${role}`,
    token: parent,
    body: {
      // A batch token has no accessor to end it by.
      type: 'service',
      ttl: `${firstSeconds}s`,
      explicit_max_ttl: `${secondsOf(issuing) + firstSeconds}s`,
      renewable: true,
      display_name: `bakehouse-${issuing.attemptId}`,
      meta: { bakehouse_attempt: issuing.attemptId },
    },
    what: 'make a token for the bake',
  });
  if (auth !== null && auth !== undefined) return auth;
  throw new Failure('provider_credentials', 'cannot make a token for the bake: Vault answers none');
}

async function lastingLease(
  api: Api,
  token: string,
  path: string,
  { leaseId, seconds: given, renewable }: Leased,
  seconds: number,
): Promise<void> {
  if (given >= seconds) return;
  let longer: Answer = {};
  if (renewable) {
    const body = { lease_id: leaseId, increment: seconds };
    longer = await api({
      method: 'POST',
      path: 'sys/leases/renew',
      token,
      body,
      byEngine: true,
      what: `prolong the lease of ${path}`,
    });
  }
  const most = longer.lease_duration ?? given;
  if (most < seconds)
    throw tooShort(`the lease of ${path}`, seconds, most, `raise max_ttl of its role and engine`);
}

export function tooShort(what: string, asked: number, given: number, remedy: string): Failure {
  return new Failure(
    'illegal_state',
    `${what} must last ${asked} s (the bake's time limit and what Packer gets to end) and Vault gives ${given} s: ${remedy}, or lower \`timeLimit\``,
    { details: { askedSeconds: asked, givenSeconds: given } },
  );
}

/** At once, with its leases. What cannot be ended now is recorded, or ends by itself. */
export async function endToken(api: Api, token: string): Promise<void> {
  const call = {
    method: 'POST',
    path: 'auth/token/revoke-self',
    token,
    byEngine: true,
    what: "end the bake's token",
  } as const;
  await api(call).catch(() => undefined);
}

export function revoker({ api, session }: Pick<IssueDeps, 'api' | 'session'>): Vault['revoke'] {
  const revoke = (path: string, body: Readonly<Record<string, unknown>>, what: string) =>
    session.use(({ token }) => api({ method: 'POST', path, token, body, what, byEngine: true }));
  return async (mark) => {
    const [kind, id = ''] = mark.split(' ', 2);
    if (kind === 'lease') {
      // Waits for the engine: an answer means that the credential is gone there too.
      await revoke('sys/leases/revoke', { lease_id: id, sync: true }, 'end a lease').catch(goneAlready);
    } else if (kind === 'token') {
      await revoke('auth/token/revoke-accessor', { accessor: id }, "end the bake's token").catch(goneAlready);
    } else {
      throw new Failure('internal', `${JSON.stringify(mark)} marks no credential of Vault`);
    }
  };
}

/** Vault says 400 or 403 of an accessor or lease that it does not know (any more), OpenBao succeeds. */
function goneAlready(error: unknown): void {
  if (!/invalid accessor|token not found|invalid lease|lease not found/i.test(saidBy(error))) throw error;
}
