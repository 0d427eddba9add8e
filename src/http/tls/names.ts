import { hostname, networkInterfaces } from 'node:os';

const everywhere = ['0.0.0.0', '::'];

/** What the certificate of a server is made out for: this machine, the address it listens on, the one that clients were told. */
export function certificateNames(listenHost: string, url: string | undefined): readonly string[] {
  const told = url === undefined ? [] : [new URL(url).hostname.replaceAll(/^\[|\]$/g, '')];
  const names = [...told, listenHost, 'localhost', '127.0.0.1', '::1', hostname()];
  return [...new Set(names.filter((name) => name !== '' && !everywhere.includes(name)))];
}

/**
 * The addresses of this machine where it listens on all of them. They change, so a certificate is not told apart by them; those that count on one
 * link only are no help to clients.
 */
export function interfaceAddresses(listenHost: string): readonly string[] {
  if (!everywhere.includes(listenHost)) return [];
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !/^(?:fe[89ab]|169\.254\.)/i.test(address))
    .map(({ address }) => address);
}
