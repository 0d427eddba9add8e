import { createSecretKey, randomBytes } from 'node:crypto';

import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { createKeyring } from '../../src/temporal/codec/keyring.ts';
import { clearCodec, createPayloadCodec } from '../../src/temporal/codec/payload-codec.ts';

const dataKey = (id: string) => ({ id, key: createSecretKey(randomBytes(32)) });
const [old, fresh] = [dataKey('old'), dataKey('fresh')];
const before = createPayloadCodec(createKeyring([old]), 'ours');
const after = createPayloadCodec(createKeyring([fresh, old]), 'ours');
const plain: Payload = defaultPayloadConverter.toPayload({ marker: 'in-clear-marker' });

const one = (payloads: readonly Payload[]): Payload => payloads[0] ?? {};
const field = (payload: Payload, name: string) => Buffer.from(payload.metadata?.[name] ?? []).toString();
const valueOf = (payload: Payload): unknown => defaultPayloadConverter.fromPayload(payload);

describe('an encoded payload', () => {
  it('holds nothing of what was in it but the id of the key', async () => {
    const sealed = one(await after.encode([plain]));

    expect(Object.keys(sealed.metadata ?? {})).toEqual(['encoding', 'encryption-key-id']);
    expect(field(sealed, 'encoding')).toBe('binary/encrypted');
    expect(field(sealed, 'encryption-key-id')).toBe('fresh');
    expect(Buffer.from(sealed.data ?? []).includes('marker')).toBe(false);
    expect(Buffer.from(sealed.data ?? []).includes('json/plain')).toBe(false);
    expect(valueOf(one(await after.decode([sealed])))).toEqual({ marker: 'in-clear-marker' });
  });

  it('is another one each time', async () => {
    const sealed = await after.encode(Array.from({ length: 200 }, () => plain));
    const nonces = sealed.map(({ data }) =>
      Buffer.from(data ?? [])
        .subarray(0, 12)
        .toString('hex'),
    );

    expect(new Set(nonces).size).toBe(200);
  });

  it('keeps what has no text: empty data, metadata of every kind, bytes', async () => {
    const odd: Payload[] = [
      {},
      { metadata: { encoding: Buffer.from('binary/null') } },
      { metadata: { encoding: Buffer.from('binary/plain') }, data: randomBytes(100_000) },
    ];
    const back = await after.decode(await after.encode(odd));

    expect(back.map(({ data }) => Buffer.from(data ?? []).toString('hex'))).toEqual(
      odd.map(({ data }) => Buffer.from(data ?? []).toString('hex')),
    );
    expect(back.map((payload) => field(payload, 'encoding'))).toEqual(['', 'binary/null', 'binary/plain']);
  });
});

describe('decoding', () => {
  it('leaves alone what is in clear', async () => {
    const typed = [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"a":1}') }, {}];
    expect(await after.decode(typed)).toEqual(typed);
  });

  it('reads what an earlier key wrote, and names one that is missing with the remedy', async () => {
    expect(valueOf(one(await after.decode(await before.encode([plain]))))).toEqual({
      marker: 'in-clear-marker',
    });
    await expect(before.decode(await after.encode([plain]))).rejects.toMatchObject({
      code: 'illegal_state',
      message:
        'a payload was encrypted with key fresh, and this process has old: add that key to the file that BAKEHOUSE_PAYLOAD_KEYS_FILE names, and start the process again',
    });
  });

  it('refuses what was changed, cut, or comes from another namespace or key of the same id', async () => {
    const sealed = one(await after.encode([plain]));
    const data = Buffer.from(sealed.data ?? []);
    const flipped = (at: number) => {
      const copy = Buffer.from(data);
      copy[at] = (copy[at] ?? 0) ^ 1;
      return { ...sealed, data: copy };
    };
    const asOld = { ...sealed, metadata: { ...sealed.metadata, 'encryption-key-id': Buffer.from('old') } };
    const short = [0, 5, 27].map((length) => ({ ...sealed, data: data.subarray(0, length) }));
    const bad = [flipped(0), flipped(15), flipped(data.length - 1), asOld, ...short];
    for (const payload of bad) {
      await expect(after.decode([payload])).rejects.toMatchObject({
        code: 'invalid_input',
        message: expect.stringContaining('cannot be decrypted with key'),
      });
    }
    const elsewhere = createPayloadCodec(createKeyring([fresh]), 'theirs');
    await expect(elsewhere.decode([sealed])).rejects.toThrow('in namespace theirs');
    const impostor = createPayloadCodec(createKeyring([dataKey('fresh')]), 'ours');
    await expect(impostor.decode([sealed])).rejects.toThrow('another key has that id');
  });
});

describe('a process without keys', () => {
  it('writes in clear, and names the key of what it cannot read', async () => {
    expect(await clearCodec.encode([plain])).toEqual([plain]);
    expect(await clearCodec.decode([plain])).toEqual([plain]);
    await expect(clearCodec.decode([plain, ...(await after.encode([plain]))])).rejects.toThrow(
      'encrypted with key fresh, and this process has no keys',
    );
  });
});
