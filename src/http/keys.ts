/**
 * Keys that the server shares with others and that no database holds: each is made of the installation's token and a random salt, which is
 * kept. Another salt is another key, and so is another token.
 */
import { hkdfSync } from 'node:crypto';

export interface Keys {
  /** 32 bytes. `purpose` keeps apart what has the same salt, and names the project. */
  derive(purpose: string, salt: Uint8Array): Buffer;
}

export const keysFrom = (token: string): Keys => ({
  derive: (purpose, salt) => Buffer.from(hkdfSync('sha256', token, salt, `bakehouse/${purpose}`, 32)),
});
