import { createHash } from 'node:crypto';

/** EC2 takes at most 64 ASCII characters; a longer id is told by its digest. */
export function clientToken(id: string): string {
  return /^[\x21-\x7e]{1,64}$/.test(id) ? id : createHash('sha256').update(id).digest('hex');
}
