/** Payloads as Temporal's remote codec protocol carries them: protobuf's JSON, bytes in base64. */
import type { Payload } from '@temporalio/common';
import { z } from 'zod';

import { Failure } from '../../domain/failure.ts';

/** Protobuf's readers take the URL's alphabet and missing padding too. */
const bytes = z
  .string()
  .regex(/^[\w+/-]*={0,2}$/, 'is not base64')
  .transform((text) => new Uint8Array(Buffer.from(text, 'base64')));

const body = z.object({
  payloads: z
    .array(
      z.object({
        metadata: z.record(z.string(), bytes).nullish(),
        data: bytes.nullish(),
      }),
    )
    .max(10_000),
});

/** Throws `invalid_input` that says where; the values themselves are in no message. */
export function readPayloads(given: unknown): readonly Payload[] {
  const parsed = body.safeParse(given);
  if (!parsed.success) {
    const said = parsed.error.issues
      .slice(0, 3)
      .map(({ path, code }) => `${z.core.toDotPath(path) || 'the body'}: ${wordsFor[code] ?? code}`);
    throw new Failure(
      'invalid_input',
      `${said.join('; ')}; write {"payloads":[{"metadata":{"encoding":"<base64>"},"data":"<base64>"}]}`,
    );
  }
  return parsed.data.payloads.map(({ metadata, data }) => ({ metadata: metadata ?? {}, data: data ?? null }));
}

const wordsFor: Readonly<Record<string, string>> = {
  invalid_type: 'missing, or of the wrong type',
  invalid_format: 'not base64',
  too_big: 'too many',
};

export const writePayloads = (payloads: readonly Payload[]): object => ({
  payloads: payloads.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
    ...(data === null || data === undefined ? {} : { data: Buffer.from(data).toString('base64') }),
  })),
});
