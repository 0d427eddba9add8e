/** Where no webhook may lead: what a cloud answers to its own machines only, credentials among it. */
import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

const refused = new BlockList();
refused.addSubnet('169.254.0.0', 16, 'ipv4');
refused.addSubnet('fe80::', 10, 'ipv6');
// The metadata services that are not link-local: Azure's host, Alibaba's, Oracle's, and those of AWS and Google in IPv6.
for (const address of ['168.63.129.16', '100.100.100.200', '192.0.0.192'])
  refused.addAddress(address, 'ipv4');
for (const address of ['fd00:ec2::254', 'fd20:ce::254']) refused.addAddress(address, 'ipv6');

/** `host` as URLs have it. False for a name: what it means is asked when it is called. */
export function isRefusedAddress(host: string): boolean {
  const address = host.replaceAll(/^\[|\]$/g, '');
  const family = isIP(address);
  return family !== 0 && refused.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

export const refusal = (host: string): string =>
  `${host} leads to an address that a cloud keeps for its own machines, and is not called`;

/** Looks a name up once, for the connection that is made with it: a second answer could be another one. */
export const lookUpAllowed: LookupFunction = (host, options, callback) => {
  lookup(host, { ...options, all: true }, (error, found) => {
    if (error !== null) return callback(error, []);
    const [first] = found;
    if (first === undefined || found.some(({ address }) => isRefusedAddress(address))) {
      return callback(new Error(refusal(host)), []);
    }
    return options.all === true ? callback(null, found) : callback(null, first.address, first.family);
  });
};
