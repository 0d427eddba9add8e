/** What tests of the Vault adapter ask for, and how they ask. */
import { isFailure } from '../../src/domain/failure.ts';
import {
  createVault,
  type Issuing,
  type Login,
  type Vault,
  type VaultOptions,
  type WantedSecret,
} from '../../src/vault/index.ts';
import type { ReadyOpenBao } from './openbao-ready.ts';

export async function appRole(bao: ReadyOpenBao): Promise<Login> {
  const value = await bao.secretId();
  return {
    method: 'approle',
    mount: 'approle',
    roleId: bao.roleId,
    secretId: { value: { reveal: () => value } },
  };
}

export const openVault = async (bao: ReadyOpenBao, over: Partial<VaultOptions> = {}): Promise<Vault> =>
  createVault({
    address: bao.address,
    namespace: undefined,
    caFile: undefined,
    login: over.login ?? (await appRole(bao)),
    tokenRole: undefined,
    transit: { mount: 'transit', key: 'bakehouse' },
    ...over,
  });

export const kept = (path: string, field = 'key', name = 'it'): WantedSecret => ({
  name,
  from: { kind: 'kv', path, key: field },
});
export const key = kept('secret/bake/signing', 'key', 'signing');
export const leased = (name: string, field: string, role = 'bake'): WantedSecret => ({
  name,
  from: { kind: 'lease', path: `database/creds/${role}`, key: field },
});
export const user = leased('user', 'username');
export const password = leased('password', 'password');

let attempts = 0;
export interface Wish extends Issuing {
  readonly marks: string[];
}
export function wish(secrets: readonly WantedSecret[], over: Partial<Issuing> = {}): Wish {
  const marks: string[] = [];
  const attemptId = `attempt-${++attempts}`;
  return {
    attemptId,
    secrets,
    lifetimeMs: 3_600_000,
    record: async (mark) => void marks.push(mark),
    marks,
    ...over,
  };
}

export async function refusal(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    if (isFailure(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing';
}
