/** Key pairs for machines that are booted to be looked at. */
import ssh2 from 'ssh2';

import { Failure } from '../domain/failure.ts';

export interface SshKeyPair {
  /** OpenSSH private key, PEM text. */
  readonly private: string;
  /** `ssh-ed25519 AAAA… comment`. */
  readonly public: string;
}

/** By chance all of them are malformed once in 256²⁰ times. */
const mostTries = 20;

/**
 * An ed25519 key pair (RFC 8709) that its own library reads back; `internal` where none comes. ssh2 1.17 strips leading zero bytes from the public
 * half, so one pair of 256 is malformed: https://github.com/mscdex/ssh2/issues/1513.
 */
export function makeSshKeyPair(comment = 'bakehouse'): SshKeyPair {
  for (let made = 0; made < mostTries; made += 1) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    if (isKey(pair.private) && isKey(pair.public)) return pair;
  }
  throw new Failure(
    'internal',
    `no SSH key can be made: of ${String(mostTries)} ed25519 pairs from ssh2 with OpenSSL ${process.versions.openssl} it reads none back; run Bakehouse with the Node.js that \`npm run setup\` brings`,
  );
}

const isKey = (text: string): boolean => !(ssh2.utils.parseKey(text) instanceof Error);
