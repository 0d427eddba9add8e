import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeAuthority, writeExtraRoots, writeRootsBundle } from '../../src/config/extra-roots.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-ca-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const pem = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`;
const [first, second, companys] = ['Zmlyc3Q=', 'c2Vjb25k', 'Y29tcGFueQ=='].map(pem);

describe('the file for NODE_EXTRA_CA_CERTS', () => {
  it('keeps what was in there, and carries no older authority of ours', () => {
    const before = path.join(folder, 'company.pem');
    writeFileSync(before, `${companys}\n`);
    const own = path.join(folder, 'ca');

    const file = writeExtraRoots(own, `${first}\n`, { NODE_EXTRA_CA_CERTS: before });
    expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`^${companys}\n#.*\n${first}\n$`));
    expect(writeExtraRoots(own, `${second}\n`, { NODE_EXTRA_CA_CERTS: file })).toBe(file);
    expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`^${companys}\n#.*\n${second}\n$`));
    writeExtraRoots(own, `${second}\n`, { NODE_EXTRA_CA_CERTS: '/no/such.pem' });
    expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`^#.*\n${second}\n$`));
  });

  it('is refused where it cannot be written, with what to do', () => {
    expect(() => writeExtraRoots('/dev/null/ca', `${first}\n`, {})).toThrow(
      /\/dev\/null\/ca cannot be written/,
    );
    expect(readFileSync(writeAuthority(folder, ` ${first}\n\n`), 'utf8')).toBe(`${first}\n`);
  });
});

describe('the file for SSL_CERT_FILE', () => {
  it('holds the roots of the system, or those of Node where there are none: never our authority alone', () => {
    const system = path.join(folder, 'system.pem');
    writeFileSync(system, `${companys}\n`);
    const write = (given: string | undefined, files: readonly string[]): string =>
      readFileSync(
        writeRootsBundle(folder, `${first}\n`, given === undefined ? {} : { SSL_CERT_FILE: given }, files),
        'utf8',
      );

    expect(write(undefined, ['/no/such.pem', system])).toMatch(new RegExp(`^${companys}\n#.*\n${first}\n$`));
    const alone = path.join(folder, 'alone.pem');
    writeFileSync(alone, readFileSync(writeExtraRoots(folder, `${second}\n`, {})));
    for (const given of [undefined, alone]) {
      const bundle = write(given, ['/no/such.pem']);
      expect(bundle.split('-----BEGIN CERTIFICATE-----').length).toBeGreaterThan(50);
      expect(bundle.endsWith(`\n${first}\n`)).toBe(true);
      expect(bundle).not.toContain(second);
    }
  });
});
