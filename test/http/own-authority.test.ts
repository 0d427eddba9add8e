import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certificateNames, interfaceAddresses } from '../../src/http/tls/names.ts';
import type { Wanted } from '../../src/http/tls/own-authority.ts';
import { ownCertificate } from '../../src/http/tls/own-authority.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-tls-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the certificate of our own making', () => {
  const names = ['bakehouse.example', '10.0.0.7', '::1'];
  const day = 86_400_000;
  const own = (at: string, over: Partial<Wanted> = {}) =>
    ownCertificate({ folder: at, names, mayFound: true, ...over });

  it('is for every name, kept while it is good, and made anew for another name or near its end', async () => {
    const at = path.join(folder, 'tls');
    const first = await own(at);
    const shown = new X509Certificate(first.cert);

    expect(first.isNew).toBe(true);
    expect([
      shown.checkHost('bakehouse.example'),
      shown.checkIP('10.0.0.7'),
      shown.checkIP('::1'),
    ]).not.toContain(undefined);
    expect(Date.parse(shown.validTo) - Date.parse(shown.validFrom)).toBeLessThan(398 * day);
    expect(await own(at)).toEqual({ ...first, isNew: false });
    const more = await own(at, { names: [...names, 'other.example'] });
    expect(more.cert).not.toBe(first.cert);
    expect(more.ca).toBe(first.ca);
    const later = await own(at, { now: Date.now() + 350 * day });
    expect(later.cert).not.toBe(more.cert);
  });

  it('is of one authority for all who start at once', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => own(path.join(folder, 'deep/tls'))));

    expect(new Set(all.map(({ ca }) => ca)).size).toBe(1);
    expect(all.filter(({ isNew }) => isNew)).toHaveLength(1);
  });

  it('is made in a folder that is there and empty', async () => {
    const at = path.join(folder, 'tls');
    mkdirSync(at);

    expect(await own(at)).toMatchObject({ isNew: true });
    expect(await own(at)).toMatchObject({ isNew: false });
  });

  it('is not made by half an authority', async () => {
    const at = path.join(folder, 'tls');
    await own(at);
    rmSync(path.join(at, 'ca-key.pem'));

    await expect(own(at)).rejects.toMatchObject({ code: 'illegal_state' });
  });

  it('is never of a new authority while the server runs: clients trust the one that it had', async () => {
    const at = path.join(folder, 'tls');
    await own(at);
    rmSync(at, { recursive: true });

    await expect(own(at, { mayFound: false })).rejects.toMatchObject({ code: 'illegal_state' });
    expect(existsSync(at)).toBe(false);
  });

  it('is of an authority whose dates are right, and outlives it by nothing', async () => {
    const at = path.join(folder, 'tls');
    await own(at);

    for (const [now, message] of [
      [Date.now() - 3 * day, /counts from .* check this machine's clock/],
      [Date.now() + 4000 * day, /ended on/],
    ] as const) {
      await expect(own(at, { now })).rejects.toThrow(message);
    }
    const last = Date.now() + 3600 * day;
    const { cert, ca } = await own(at, { now: last });
    expect(new X509Certificate(cert).validTo).toBe(new X509Certificate(ca).validTo);
    expect((await own(at, { now: last })).cert).toBe(cert);
  });

  it('is made anew where it counts from a later day: a clock was wrong when it was made', async () => {
    const at = path.join(folder, 'tls');
    await own(at);
    const ahead = await own(at, { now: Date.now() + 350 * day });

    expect((await own(at)).cert).not.toBe(ahead.cert);
  });

  it('is for the addresses of the machine where it listens on all of them, in one file as they change', async () => {
    const at = path.join(folder, 'tls');
    const all = interfaceAddresses('0.0.0.0');
    const outside = Object.values(os.networkInterfaces()).flatMap((some) => some ?? []);
    const [address] = outside.filter((one) => !one.internal && one.family === 'IPv4');

    expect(interfaceAddresses('127.0.0.1')).toEqual([]);
    if (address !== undefined) expect(all).toContain(address.address);
    const first = await own(at, { also: ['192.0.2.1'] });
    const next = await own(at, { also: ['192.0.2.1', '2001:DB8:0::2'] });
    expect(new X509Certificate(next.cert).checkIP('2001:db8::2')).toBeDefined();
    expect(next.cert).not.toBe(first.cert);
    expect((await own(at, { also: ['2001:db8::2'] })).cert).toBe(next.cert);
    expect(readdirSync(at)).toHaveLength(3);
  });

  it('is for the machine, where it listens and what clients were told', () => {
    expect(certificateNames('0.0.0.0', 'https://[2001:db8::1]:8443')).toEqual([
      ...new Set(['2001:db8::1', 'localhost', '127.0.0.1', '::1', os.hostname()]),
    ]);
  });
});
