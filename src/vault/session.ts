/** Our own login, kept while it lasts. Nothing renews it in the background: whoever comes looks whether it lasts long enough. */
import { Failure } from '../domain/failure.ts';
import type { Api, Auth } from './api.ts';
import { isRefused } from './errors.ts';

export interface SessionToken {
  readonly token: string;
  readonly accessor: string;
  /** Of our clock; Infinity for a token that never ends. */
  readonly endsAt: number;
}

export interface Session {
  /** Calls with a token that is good; one that Vault has forgotten meanwhile is replaced, once. */
  use<T>(act: (session: SessionToken) => Promise<T>): Promise<T>;
  /** The same with a token that lasts so long; `illegal_state` names both lifetimes where Vault gives none. */
  lasting<T>(ms: number, act: (session: SessionToken) => Promise<T>): Promise<T>;
  /** The token that we have, if any. */
  held(): SessionToken | undefined;
}

/** Asked for beyond what is needed: a moment passes until it is looked at. */
const spareSeconds = 5;
/** A token this close to its end is not used: a call takes some time. */
const leastMs = 15_000;

export function createSession(api: Api, login: () => Promise<Auth>): Session {
  let current: SessionToken | undefined;
  let entering: Promise<SessionToken> | undefined;

  const enter = async (): Promise<SessionToken> => {
    // Many bakes begin at the same time; one login is enough.
    entering ??= login()
      .then((auth) => (current = tokenOf(auth)))
      .finally(() => (entering = undefined));
    return entering;
  };

  async function prolonged(session: SessionToken, ms: number): Promise<SessionToken> {
    const seconds = Math.ceil(ms / 1000) + spareSeconds;
    try {
      const { auth } = await api({
        method: 'POST',
        path: 'auth/token/renew-self',
        token: session.token,
        body: { increment: `${seconds}s` },
        what: 'renew our login',
      });
      if (auth !== null && auth !== undefined) return tokenOf(auth);
    } catch (error) {
      // Not renewable, or over: a new login decides.
      if (!(error instanceof Failure) || error.code !== 'provider_credentials') throw error;
    }
    return session;
  }

  async function good(ms: number): Promise<SessionToken> {
    const lasts = (session: SessionToken) => session.endsAt - Date.now() >= ms;
    const held = current;
    if (held !== undefined) {
      if (lasts(held)) return held;
      const longer = await prolonged(held, ms);
      if (lasts(longer)) return (current = longer);
    }
    const fresh = await enter();
    if (lasts(fresh)) return fresh;
    const longer = await prolonged(fresh, ms);
    if (lasts(longer)) return (current = longer);
    const given = Math.max(0, Math.floor((longer.endsAt - Date.now()) / 1000));
    throw new Failure(
      'illegal_state',
      `our login to Vault must last ${Math.ceil(ms / 1000)} s and Vault gives it ${given} s: raise token_max_ttl of its role, or set BAKEHOUSE_VAULT_TOKEN_ROLE to a token role with orphan=true, whose tokens outlive the login`,
    );
  }

  async function isForgotten({ token }: SessionToken): Promise<boolean> {
    const call = { method: 'GET', path: 'auth/token/lookup-self', token, what: 'look at our token' } as const;
    return api(call).then(() => false, isRefused);
  }

  async function lasting<T>(ms: number, act: (session: SessionToken) => Promise<T>): Promise<T> {
    const session = await good(ms);
    try {
      return await act(session);
    } catch (error) {
      if (!isRefused(error) || !(await isForgotten(session))) throw error;
      if (current === session) current = undefined;
      return act(await good(ms));
    }
  }

  return { use: (act) => lasting(leastMs, act), lasting, held: () => current };
}

function tokenOf({ client_token: token, accessor, lease_duration: seconds }: Auth): SessionToken {
  return { token, accessor, endsAt: seconds === 0 ? Infinity : Date.now() + seconds * 1000 };
}
