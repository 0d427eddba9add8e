/** Certificates of our own making: an authority for this installation, and certificates of it for a server. All are PEM. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

const day = 86_400_000;
const authorityLife = 3650 * day;
/** Apple's limit for certificates of servers is 398 days, and Go keeps to it on macOS. */
const serverLife = 397 * day;
/** A certificate is made anew when less is left. */
const serverRest = 60 * day;
/** The clocks of clients may be behind ours. */
const before = day;

const algorithm = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

/** `now` in milliseconds since 1970. Its name is its own, so that two installations in one trust store are told apart. */
export async function makeAuthority(now: number): Promise<KeyPair> {
  // Only who makes certificates waits for it to load.
  const { generate } = await import('selfsigned');
  const name = `Bakehouse CA ${randomBytes(3).toString('hex')}`;
  const made = await generate([{ name: 'commonName', value: name }], {
    ...algorithm,
    notBeforeDate: new Date(now - before),
    notAfterDate: new Date(now + authorityLife),
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { key: made.private, cert: made.cert };
}

/** For these host names and addresses; clients look at nothing else. */
export async function makeServerCertificate(
  authority: KeyPair,
  names: readonly string[],
  now: number,
): Promise<KeyPair> {
  const { generate } = await import('selfsigned');
  const end = Math.min(now - before + serverLife, Date.parse(new X509Certificate(authority.cert).validTo));
  const made = await generate([{ name: 'commonName', value: 'Bakehouse server' }], {
    ...algorithm,
    notBeforeDate: new Date(now - before),
    notAfterDate: new Date(end),
    ca: { key: authority.key, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: names.map((name) => (isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name })),
      },
    ],
  });
  return { key: made.private, cert: made.cert };
}

/** Whether a certificate is of this authority, for all of these names, and good now and for a while yet. */
export function isGood(cert: string, authority: string, names: readonly string[], now: number): boolean {
  const one = new X509Certificate(cert);
  const issuer = new X509Certificate(authority);
  const end = Date.parse(one.validTo);
  const covered = namesOf(cert);
  return (
    one.checkIssued(issuer) &&
    one.verify(issuer.publicKey) &&
    Date.parse(one.validFrom) <= now &&
    // None outlives its authority.
    (end - now > serverRest || (end > now && end >= Date.parse(issuer.validTo))) &&
    names.every((name) => covered.includes(canonical(name)))
  );
}

/** What is wrong with its dates; undefined: nothing. */
export function wrongDate(cert: string, now: number): string | undefined {
  const { validFrom, validTo } = new X509Certificate(cert);
  if (Date.parse(validFrom) > now) {
    return `counts from ${instant(validFrom)} only, and it is ${instant(now)}: check this machine's clock`;
  }
  return Date.parse(validTo) > now ? undefined : `ended on ${instant(validTo)}`;
}

const instant = (at: string | number): string => new Date(at).toISOString();

/** Host names and addresses that a certificate is made out for. */
export function namesOf(cert: string): readonly string[] {
  const names = new X509Certificate(cert).subjectAltName ?? '';
  return [...names.matchAll(/(?:DNS|IP Address):([^,"]+)/g)].map(([, name = '']) => canonical(name.trim()));
}

/** Addresses of IPv6 have many spellings. */
const canonical = (name: string): string =>
  isIP(name) === 6 ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name.toLowerCase();
