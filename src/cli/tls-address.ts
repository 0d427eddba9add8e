/** Where a client goes that speaks TLS, by what the server says and what was called. */

interface Tls {
  readonly url: string | null;
  readonly port: number;
}

/** What the server was told to tell, else the address that works over TLS already, be it a proxy's, else the server's own port. Undefined: none of them. */
export function tlsUrl(called: string, tls: Tls | null): string | undefined {
  if (tls !== null && tls.url !== null) return tls.url;
  const { protocol, hostname } = new URL(called);
  if (protocol === 'https:') return called;
  return tls === null ? undefined : `https://${hostname}:${tls.port}`;
}

/** Nobody stands between this machine and itself. */
export const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);

/** `hostname` as URLs have it, `names` as a certificate has them. */
export function isNamed(hostname: string, names: readonly string[]): boolean {
  const host = hostname.replaceAll(/^\[|\]$/g, '').toLowerCase();
  return names.some(
    (name) => name === host || (name.startsWith('*.') && name.slice(1) === host.replace(/^[^.]+/, '')),
  );
}
