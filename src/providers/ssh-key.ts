/** Key pairs for machines that are booted to be looked at. */
import ssh2 from 'ssh2';

export interface SshKeyPair {
  /** OpenSSH private key, PEM text. */
  readonly private: string;
  /** `ssh-ed25519 AAAA… comment`. */
  readonly public: string;
}

/**
 * An ed25519 key pair (RFC 8709) that its own library reads back. ssh2 1.17 strips leading zero bytes from the public
 * half, so one pair of 256 is malformed: https://github.com/mscdex/ssh2/issues/1513.
 */
export function makeSshKeyPair(comment = 'bakehouse'): SshKeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    if (isKey(pair.private) && isKey(pair.public)) return pair;
  }
}

const isKey = (text: string): boolean => !(ssh2.utils.parseKey(text) instanceof Error);
