import { expect, it } from 'vitest';
import ssh2 from 'ssh2';
import { makeSshKeyPair } from '../../src/providers/ssh-key.ts';

/** One pair of 256 was malformed: of 2,000, none may be. */
it('makes key pairs that can be read, each of them', () => {
  for (let made = 0; made < 2000; made += 1) {
    const pair = makeSshKeyPair();
    const parsed = ssh2.utils.parseKey(pair.private);
    if (parsed instanceof Error) throw parsed;
    expect(pair.public).toBe(`ssh-ed25519 ${parsed.getPublicSSH().toString('base64')} bakehouse`);
  }
});
