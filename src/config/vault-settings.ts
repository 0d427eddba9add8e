/** How Vault is reached and logged in to, from the settings. Structurally what `vault/vault.ts` takes. */
import type { z } from 'zod';

import { Failure } from '../domain/failure.ts';
import type { Secret } from './secret.ts';
import type { settingSchema } from './setting-schema.ts';

export interface VaultSettings {
  readonly address: string;
  readonly namespace: string | undefined;
  readonly caFile: string | undefined;
  readonly login: VaultLogin;
  readonly tokenRole: string | undefined;
  readonly transit: { readonly mount: string; readonly key: string };
}

type VaultLogin =
  | {
      readonly method: 'approle';
      readonly mount: string;
      readonly roleId: string;
      readonly secretId: SecretText;
    }
  | { readonly method: 'jwt'; readonly mount: string; readonly role: string; readonly jwtFile: string }
  | { readonly method: 'token'; readonly token: SecretText };

type SecretText = { readonly file: string } | { readonly value: Secret };
type Parsed = z.output<typeof settingSchema>;

/** `VAULT_ADDR` alone is many a shell's own and turns nothing on. `invalid_input` names what is missing. */
export function vaultSettings(parsed: Parsed): VaultSettings | undefined {
  const method = parsed.BAKEHOUSE_VAULT_AUTH;
  if (method === undefined) return undefined;
  const transit = parsed.BAKEHOUSE_VAULT_TRANSIT;
  const slash = transit.lastIndexOf('/');
  return {
    address: required('VAULT_ADDR', parsed.VAULT_ADDR, method),
    namespace: parsed.VAULT_NAMESPACE,
    caFile: parsed.VAULT_CACERT,
    login: loginOf(method, parsed),
    tokenRole: parsed.BAKEHOUSE_VAULT_TOKEN_ROLE,
    transit: { mount: transit.slice(0, slash), key: transit.slice(slash + 1) },
  };
}

function loginOf(method: 'approle' | 'jwt' | 'token', parsed: Parsed): VaultLogin {
  const mount = parsed.BAKEHOUSE_VAULT_AUTH_MOUNT ?? method;
  if (method === 'approle') {
    const roleId = required('BAKEHOUSE_VAULT_ROLE_ID', parsed.BAKEHOUSE_VAULT_ROLE_ID, method);
    return { method, mount, roleId, secretId: secretText('BAKEHOUSE_VAULT_SECRET_ID', method, parsed) };
  }
  if (method === 'jwt') {
    const role = required('BAKEHOUSE_VAULT_ROLE', parsed.BAKEHOUSE_VAULT_ROLE, method);
    const jwtFile = required('BAKEHOUSE_VAULT_JWT_FILE', parsed.BAKEHOUSE_VAULT_JWT_FILE, method);
    return { method, mount, role, jwtFile };
  }
  return { method, token: secretText('BAKEHOUSE_VAULT_TOKEN', method, parsed) };
}

function secretText(
  name: 'BAKEHOUSE_VAULT_SECRET_ID' | 'BAKEHOUSE_VAULT_TOKEN',
  method: string,
  parsed: Parsed,
): SecretText {
  const value = parsed[name];
  const file = parsed[`${name}_FILE`];
  if (value !== undefined) return { value };
  return { file: required(`${name}_FILE`, file, method) };
}

function required(name: string, value: string | undefined, method: string): string {
  if (value !== undefined) return value;
  throw new Failure(
    'invalid_input',
    `BAKEHOUSE_VAULT_AUTH=${method} needs ${name}: set it, or leave both out`,
  );
}
