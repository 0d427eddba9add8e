/**
 * How payloads are read and written, the same for clients and workers:
 *
 *     const keyring = await openKeyring('/etc/bakehouse/payload-keys');
 *     new Client({ connection, namespace: 'default', dataConverter: dataConverterOf(keyring, 'default') });
 */
import { fileURLToPath } from 'node:url';

import type { DataConverter } from '@temporalio/common';
import type { Keyring } from './keyring.ts';
import { clearCodec, createPayloadCodec } from './payload-codec.ts';

export { openKeyring } from './keyring.ts';
export type { Keyring, UnwrapKeys } from './keyring.ts';

/** For `bundleWorkflowCode` too, where there are keys. */
export const sealedFailuresPath = fileURLToPath(
  new URL('../../workflows/sealed-failures.ts', import.meta.url),
);

/** Without a keyring everything is in clear. */
export function dataConverterOf(keyring: Keyring | undefined, namespace: string): DataConverter {
  if (keyring === undefined) return { payloadCodecs: [clearCodec] };
  return {
    payloadCodecs: [createPayloadCodec(keyring, namespace)],
    failureConverterPath: sealedFailuresPath,
  };
}
