import { describe, expect, test } from 'vitest';
import { scanFor, secretsOf } from '../../src/packer/secrets.ts';
import { attempt, bakeHost } from './support/attempts.ts';
import { packersUnderTest } from './support/packers.ts';

const disk = (content: string) => async (needles: readonly string[]) =>
  needles.filter((needle) => content.includes(needle));

const password = { name: 'password', value: 'correct horse/battery' };

const never = () => Promise.reject(new Error('it was searched'));

const variable = (name: string, sensitive: boolean, fallback?: string) => ({
  name,
  sensitive,
  required: fallback === undefined,
  ...(fallback === undefined ? {} : { default: fallback }),
});

describe('secrets on a disk', () => {
  test('are found as they are and as JSON, URLs and base64 carry them; only names are told', async () => {
    const key = { name: 'key', value: '-----BEGIN KEY-----\nAbCdEfGhIjKl\n-----END KEY-----\n' };
    const quoted = { name: 'quoted', value: 'a "quoted" text' };
    for (const content of [
      'x correct horse/battery y',
      'url=correct%20horse%2Fbattery',
      Buffer.from('correct horse/battery').toString('base64'),
    ]) {
      expect(await scanFor([password, key], disk(content))).toEqual({
        lookedFor: ['key', 'password'],
        found: ['password'],
        tooShort: [],
      });
    }
    expect((await scanFor([quoted], disk('{"it":"a \\"quoted\\" text"}'))).found).toEqual(['quoted']);
    expect((await scanFor([key], disk('key:\n  AbCdEfGhIjKl\n'))).found).toEqual(['key']);
    expect((await scanFor([key], disk('-----BEGIN KEY-----'))).found).toEqual([]);
  });

  test('that are too short are named, and the disk is not read for nothing', async () => {
    expect(await scanFor([{ name: 'pin', value: '1234' }], never)).toEqual({
      lookedFor: [],
      found: [],
      tooShort: ['pin'],
    });
    expect(await scanFor([], never)).toEqual({ lookedFor: [], found: [], tooShort: [] });
  });

  test('of an attempt are the sensitive variables, given or by default, the named ones, and its environment', () => {
    const facts = {
      variables: [
        variable('a', true, 'by-default'),
        variable('b', false),
        variable('c', false),
        variable('d', true),
      ],
    };
    const given = { a: 'given-a', b: 'given-b', c: 'given-c', d: { deep: ['one', 7] } };
    expect(secretsOf({ secret: ['b'], environment: { TOKEN: 't' } }, facts, given)).toEqual([
      { name: 'a', value: 'given-a' },
      { name: 'a', value: 'by-default' },
      { name: 'b', value: 'given-b' },
      { name: 'd', value: 'one' },
      { name: 'd', value: '7' },
      { name: 'TOKEN', value: 't' },
    ]);
  });

  test('are known to the host that prepared the bake, and read from the template on another one', async () => {
    const [packer] = packersUnderTest;
    if (packer === undefined) throw new Error('no Packer');
    await using one = bakeHost(packer);
    await using other = bakeHost(packer);
    const variables = { password: 'the-given-password', token: 'the-token-value' };
    const input = await attempt('secret', { variables, secret: ['token'] });
    const search = disk('the-given-password built-in-secret-value the-token-value');

    await one.runner.validate(input);
    expect(await one.again().plantedSecrets(input.mark.attemptId, () => never(), search)).toEqual({
      lookedFor: ['built_in', 'password', 'token'],
      found: ['built_in', 'password', 'token'],
      tooShort: [],
    });

    // What the caller alone calls secret is not in the template: only what it says itself is known there.
    const there = await other.runner.plantedSecrets(input.mark.attemptId, async () => input, search);
    expect(there.found).toEqual(['built_in', 'password']);
  });
});
