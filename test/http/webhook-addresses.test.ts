import { describe, expect, it } from 'vitest';
import { isRefusedAddress, lookUpAllowed } from '../../src/webhooks/refused-addresses.ts';

const lookUp = (host: string, all: boolean): Promise<unknown> =>
  new Promise((resolve, reject) => {
    lookUpAllowed(host, { all }, (error, address) => (error === null ? resolve(address) : reject(error)));
  });

describe('an address of a webhook', () => {
  it.each([
    '169.254.169.254',
    '169.254.170.2',
    '[fe80::1]',
    '[::ffff:a9fe:a9fe]',
    '168.63.129.16',
    '100.100.100.200',
    '[fd00:ec2::254]',
  ])('is refused where a cloud answers its own machines: %s', (host) => {
    expect(isRefusedAddress(host)).toBe(true);
  });

  it.each(['127.0.0.1', '10.0.0.1', '192.168.1.1', '[::1]', '[fd00::1]', '8.8.8.8', 'metadata.example'])(
    'may be %s: operators have private networks',
    (host) => {
      expect(isRefusedAddress(host)).toBe(false);
    },
  );

  it('is looked at again when its name is looked up', async () => {
    expect(await lookUp('127.0.0.1', false)).toBe('127.0.0.1');
    expect(await lookUp('localhost', true)).not.toHaveLength(0);
    // As a name that means it would answer.
    await expect(lookUp('169.254.169.254', false)).rejects.toThrow('is not called');
    await expect(lookUp('169.254.169.254', true)).rejects.toThrow('is not called');
  });
});
