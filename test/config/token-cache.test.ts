import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tokenCache } from '../../src/config/token-cache.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-token-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const holder = { url: 'http://x.example', clientId: 'bakehouse-1', clientSecret: 'a-secret' };
const cache = (over: Partial<typeof holder> = {}) =>
  tokenCache({ ...holder, ...over }, { XDG_CACHE_HOME: folder });

describe('a token that is kept between commands', () => {
  it('is found by server, client id and secret, for the user alone, while it works', () => {
    const token = { token: 'bht_1', until: Date.now() + 60_000 };
    cache().write(token);

    expect(cache().read()).toEqual(token);
    const own = path.join(folder, 'bakehouse');
    const [file = ''] = readdirSync(own);
    expect([statSync(own).mode & 0o777, statSync(path.join(own, file)).mode & 0o777]).toEqual([0o700, 0o600]);
    expect(readFileSync(path.join(own, file), 'utf8')).not.toContain(holder.clientSecret);
    for (const other of [
      { url: 'http://y.example' },
      { clientId: 'bakehouse-2' },
      { clientSecret: 'wrong' },
    ]) {
      expect(cache(other).read()).toBeUndefined();
    }
    chmodSync(path.join(own, file), 0o644);
    expect(cache().read()).toBeUndefined();
  });

  it('is not kept in a job of a CI, nor taken there', () => {
    const inJob = tokenCache(holder, { XDG_CACHE_HOME: folder, CI: 'true' });
    inJob.write({ token: 'bht_1', until: Date.now() + 60_000 });
    expect(readdirSync(folder)).toEqual([]);

    cache().write({ token: 'bht_1', until: Date.now() + 60_000 });
    expect(inJob.read()).toBeUndefined();
  });

  it('is forgotten once it is over, and is nothing where it cannot be kept', () => {
    cache().write({ token: 'bht_1', until: Date.now() - 1 });
    expect(cache().read()).toBeUndefined();
    expect(readdirSync(path.join(folder, 'bakehouse'))).toEqual([]);

    const nowhere = tokenCache(holder, { XDG_CACHE_HOME: '/dev/null' });
    nowhere.write({ token: 'bht_1', until: Date.now() + 60_000 });
    expect(nowhere.read()).toBeUndefined();
  });
});
