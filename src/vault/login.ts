/** The ways to log in. Each answers Vault's `auth`. */
import { readFileSync } from 'node:fs';

import { Failure } from '../domain/failure.ts';
import type { Api, Auth } from './api.ts';
import { isRefused } from './errors.ts';
import type { Login, SecretText } from './vault.ts';

/** Remembers what a wrapping token held: it can be asked once, and we log in again and again. */
export function createLogin(api: Api, login: Login): () => Promise<Auth> {
  let unwrapped: { readonly wrapping: string; readonly secretId: string } | undefined;

  async function secretIdOf(text: SecretText, mount: string): Promise<string> {
    const written = textOf(text, 'BAKEHOUSE_VAULT_SECRET_ID_FILE');
    if (!isWrapping(written)) return written;
    if (unwrapped?.wrapping !== written) {
      unwrapped = { wrapping: written, secretId: await unwrapSecretId(api, written, mount) };
    }
    return unwrapped.secretId;
  }

  return async () => {
    if (login.method === 'approle') {
      const { mount, roleId, secretId } = login;
      const body = { role_id: roleId, secret_id: await secretIdOf(secretId, mount) };
      return auth(api, mount, body, 'the role id or the secret id is wrong, used up or expired');
    }
    if (login.method === 'jwt') {
      const jwt = textOf({ file: login.jwtFile }, 'BAKEHOUSE_VAULT_JWT_FILE');
      const remedy = `the JWT of ${login.jwtFile} is expired, or is not for the role ${login.role}`;
      return auth(api, login.mount, { role: login.role, jwt }, remedy);
    }
    return known(api, textOf(login.token, 'BAKEHOUSE_VAULT_TOKEN_FILE'));
  };
}

async function auth(api: Api, mount: string, body: Record<string, string>, remedy: string): Promise<Auth> {
  const path = `auth/${mount}/login`;
  try {
    const answer = await api({ method: 'POST', path, body, what: `log in at ${path}` });
    if (answer.auth !== null && answer.auth !== undefined) return answer.auth;
  } catch (error) {
    if (error instanceof Failure && error.code === 'provider_credentials') {
      throw new Failure('provider_credentials', `cannot log in to Vault at ${path}: ${remedy}`);
    }
    throw error;
  }
  throw new Failure('provider_credentials', `cannot log in to Vault at ${path}: it answers no token`);
}

async function known(api: Api, token: string): Promise<Auth> {
  const call = { method: 'GET', path: 'auth/token/lookup-self', token, what: 'look at our token' } as const;
  const { data } = await api(call).catch((error: unknown) => {
    if (!isRefused(error)) throw error;
    throw new Failure('provider_credentials', 'Vault does not know our token any more: give us another one');
  });
  return {
    client_token: token,
    accessor: String(data?.['accessor']),
    lease_duration: Number(data?.['ttl'] ?? 0),
    renewable: data?.['renewable'] === true,
  };
}

function textOf(text: SecretText, setting: string): string {
  if ('value' in text) return text.value.reveal();
  let content: string;
  try {
    content = readFileSync(text.file, 'utf8').trim();
  } catch (cause) {
    const message = `${setting} names ${text.file}, which cannot be read: make it readable for this user`;
    throw new Failure('invalid_input', message, { cause });
  }
  if (content === '') throw new Failure('invalid_input', `${setting} names ${text.file}, which is empty`);
  return content;
}

/** Tokens begin so in Vault since 1.10 and before, and in OpenBao; a secret id is a UUID unless somebody chose it. */
const isWrapping = (text: string): boolean => /^(hvs\.|s\.|hvb\.|b\.)/.test(text);

/** Somebody who took it out before us could put another one in; Vault says where the content was made. */
async function unwrapSecretId(api: Api, token: string, mount: string): Promise<string> {
  const gone = new Failure(
    'provider_credentials',
    'the wrapped secret id was taken out before us, or is too old: if it was not you, look who did; then deliver a new one',
  );
  const lost = (error: unknown): never => {
    throw error instanceof Failure && error.code === 'provider_credentials' ? gone : error;
  };
  const about = await api({
    method: 'POST',
    path: 'sys/wrapping/lookup',
    body: { token },
    what: 'look at the wrapped secret id',
  }).catch(lost);
  const madeAt = String(about.data?.['creation_path']);
  if (!madeAt.startsWith(`auth/${mount}/role/`) || !madeAt.endsWith('/secret-id')) {
    throw new Failure(
      'provider_credentials',
      `the wrapping token holds something made at ${madeAt}, not a secret id of auth/${mount}: it may have been replaced on its way`,
    );
  }
  const what = 'take out the wrapped secret id';
  const { data } = await api({ method: 'POST', path: 'sys/wrapping/unwrap', token, what }).catch(lost);
  return String(data?.['secret_id']);
}
