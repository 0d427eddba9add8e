import { openApi } from './api.ts';
import { check } from './check.ts';
import { endToken, issue, revoker } from './issue.ts';
import { createLeases } from './leased.ts';
import { createLogin } from './login.ts';
import { fieldOf, mountOf, readKv } from './read-secrets.ts';
import { createSession } from './session.ts';
import { createTransit } from './transit.ts';
import type { Vault, VaultOptions } from './vault.ts';

export type * from './vault.ts';

/** Calls nobody yet: whether Vault is there shows with the first use. */
export async function createVault(options: VaultOptions): Promise<Vault> {
  const api = await openApi(options);
  const session = createSession(api, createLogin(api, options.login));
  const { tokenRole } = options;
  const deps = { api, session, tokenRole };
  const revoke = revoker(deps);
  const leases = createLeases(api, session);
  return {
    check: (issuing) => check(deps, issuing),
    issue: (issuing) => issue(deps, issuing),
    revoke,
    leased: (path) => leases.get(path),
    secret: (wanted) =>
      session.use(async ({ token }) => {
        const { path } = wanted.from;
        return fieldOf(await readKv(api, token, await mountOf(api, token, path), path), wanted);
      }),
    ...createTransit(api, session, options.transit),
    async close() {
      await Promise.all(leases.marks().map((mark) => revoke(mark).catch(() => undefined)));
      // Children that are no orphans would end with the login, in the middle of their bakes; a token given to us is not ours to end.
      const held = session.held();
      if (held !== undefined && tokenRole !== undefined && options.login.method !== 'token') {
        await endToken(api, held.token);
      }
    },
  };
}
