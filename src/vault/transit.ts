/** Data keys under a key that never leaves Vault: https://developer.hashicorp.com/vault/api-docs/secret/transit */
import { Failure } from '../domain/failure.ts';
import type { Api } from './api.ts';
import type { Session } from './session.ts';
import type { Vault, VaultOptions } from './vault.ts';

export function createTransit(
  api: Api,
  session: Session,
  { mount, key }: VaultOptions['transit'],
): Pick<Vault, 'wrapDataKey' | 'unwrapDataKeys'> {
  const ask = async (verb: 'encrypt' | 'decrypt', items: readonly Readonly<Record<string, string>>[]) => {
    const path = `${mount}/${verb}/${key}`;
    const what = `${verb} data keys with ${mount}/${key}`;
    const body = { batch_input: items };
    const { data } = await session.use(({ token }) => api({ method: 'POST', path, token, body, what }));
    const results: unknown = data?.['batch_results'];
    return Array.isArray(results) ? results.map((one: unknown) => ({ ...Object(one) })) : [];
  };
  const answered = (result: Readonly<Record<string, unknown>> | undefined, field: string): string => {
    const value = result?.[field];
    if (typeof value === 'string') return value;
    throw new Failure(
      'provider_credentials',
      `Vault's ${mount}/${key} does not know a data key: was its key deleted, or min_decryption_version raised?`,
    );
  };
  return {
    async wrapDataKey(plain) {
      const [result] = await ask('encrypt', [{ plaintext: Buffer.from(plain).toString('base64') }]);
      return answered(result, 'ciphertext');
    },
    async unwrapDataKeys(ciphertexts) {
      if (ciphertexts.length === 0) return [];
      const results = await ask(
        'decrypt',
        ciphertexts.map((ciphertext) => ({ ciphertext })),
      );
      return ciphertexts.map((_one, index) => Buffer.from(answered(results[index], 'plaintext'), 'base64'));
    },
  };
}
