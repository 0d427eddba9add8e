/** Server, Temporal and PostgreSQL are killed around a scheduled revocation: readers follow the rules, and it is enforced once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { install, type Installation, until } from '../support/installation.ts';
import { type OwnDatabase, startOwnDatabase } from '../support/own-database.ts';
import { effectsOf, expectEnforcedOnce, type Family, raise, resolved } from './family.ts';
import { ended, expectNothingLeft, expectOneImage } from './clean-slate.ts';
import { apply, ask, by, project, slowLine } from './lines.ts';

let database: OwnDatabase;
let installation: Installation;

beforeAll(async () => {
  database = await startOwnDatabase();
  installation = await install({}, { database });
}, 120_000);
afterAll(() => installation.stop(), 60_000);
afterEach(async () => {
  // A test that failed in the middle of its outage leaves the others their turn.
  if (!isAlive(database.pid)) await database.startAgain();
  if (!isAlive(installation.temporal.pid)) await installation.temporal.startAgain();
}, 60_000);

/** Over HTTP, as people do it. */
async function revokeIn({ parents: [, second] }: Family, inMs: number): Promise<void> {
  const { version } = await installation.client.revokeVersion({
    project,
    bucket: second.bucket,
    version: second.name,
    inMs,
    reason: 'a hole',
  });
  expect(version.revocation.state).toBe('scheduled');
}

async function channelsOf({ parents: [parent], children: [child] }: Family): Promise<readonly string[]> {
  return Promise.all([parent, child].map(({ bucket }) => resolved(installation, bucket)));
}

/** Until both channels answer v1; nothing but v1 and v2 was ever answered. */
async function untilRolledBack(family: Family): Promise<void> {
  const answers = new Set<string>();
  await until('both channels answer v1', async () => {
    const now = await channelsOf(family);
    now.forEach((one) => answers.add(one));
    return now.every((one) => one === 'v1');
  });
  expect([...answers].filter((one) => one !== 'v1' && one !== 'v2')).toEqual([]);
}

async function expectTookEffectOnce(family: Family): Promise<void> {
  const [parent, child] = [family.parents[1], family.children[1]];
  await expectEnforcedOnce(installation, [parent, child]);
  expect(await effectsOf(installation, parent)).toHaveLength(1);
  expect(await effectsOf(installation, child)).toEqual([]);
  expect(await channelsOf(family)).toEqual(['v1', 'v1']);
  const { id } = await installation.registry.channels.get(project, parent.bucket, 'prod');
  const published = await installation.registry.pointers.published(id);
  expect(published.map(({ versionId }) => versionId)).toEqual([family.parents[0].id]);
}

describe('kill -9 of Temporal, away while the date passes', () => {
  it('readers roll back and refuse by the clock, and after its return it takes effect once', async () => {
    const family = await raise(installation, 'temporal');
    const refused = await raise(installation, 'refused');
    await revokeIn(family, 8_000);
    const [, last] = refused.parents;
    // Nothing is left to roll back to: both versions of the parent end at the same time.
    for (const version of refused.parents) {
      await installation.registry.revocations.revoke({
        versionId: version.id,
        at: new Date(Date.now() + 8_000).toISOString(),
        reason: 'a hole',
        rollBack: true,
        descendants: true,
        by,
      });
    }
    await installation.temporal.kill();
    expect(await channelsOf(family)).toEqual(['v2', 'v2']);

    await untilRolledBack(family);
    await until('the other family is refused', async () =>
      (await channelsOf(refused)).every((one) => one.startsWith('refused: ')),
    );
    // Read by the clock alone: nothing was enforced, because nobody could be told.
    await sleep(2_000);
    const receipts = await installation.registry.enforcement.receipts(project, { bucket: last.bucket });
    expect(receipts.filter(({ action }) => action === 'disable')).toEqual([]);

    await installation.temporal.startAgain();
    await expectTookEffectOnce(family);
    await expectEnforcedOnce(installation, [...refused.parents, ...refused.children]);
    for (const version of refused.parents) {
      expect(await effectsOf(installation, version)).toHaveLength(1);
    }
  }, 180_000);
});

describe('kill -9 of PostgreSQL', () => {
  it('away while the date passes: all processes come back by themselves, and it takes effect once', async () => {
    const family = await raise(installation, 'postgres');
    const pids = [installation.server, installation.worker, ...installation.hosts].map(({ pid }) => pid);
    await revokeIn(family, 4_000);
    database.kill();
    await sleep(6_000);
    expect((await channelsOf(family)).every((one) => one.startsWith('refused: '))).toBe(true);

    await database.startAgain();
    await until('the channels are read again', async () =>
      (await channelsOf(family)).every((one) => one === 'v1'),
    );
    await expectTookEffectOnce(family);
    const now = [installation.server, installation.worker, ...installation.hosts];
    expect(now.map(({ pid }) => pid)).toEqual(pids);
    expect(now.every(({ pid }) => isAlive(pid))).toBe(true);
  }, 120_000);

  it('while Packer runs: the bake goes on and completes with one image', async () => {
    const { packer } = installation;
    await apply(installation, await slowLine(5));
    const before = packer.builds();
    const request = await ask(installation, 'slow');
    await until('Packer runs', () => packer.builds() > before);
    database.kill();
    await sleep(3_000);
    await database.startAgain();
    await expectOneImage(installation, await ended(installation, request));
    expect(packer.builds() - before).toBe(1);
    await expectNothingLeft(installation);
  }, 120_000);
});

describe('kill -9 of the server', () => {
  it('the worker still enforces, and the server answers by the rules as soon as it is back', async () => {
    const family = await raise(installation, 'server');
    await revokeIn(family, 8_000);
    await until('its workflow waits for the date', async () =>
      (await installation.registry.claims.list(0, 1000)).some(({ subject }) =>
        subject.endsWith(family.parents[1].id),
      ),
    );
    await installation.server.kill();
    const effective = async () => (await effectsOf(installation, family.parents[1])).length === 1;
    await until('it took effect without a server', effective);
    await installation.server.startAgain();
    expect(await channelsOf(family)).toEqual(['v1', 'v1']);
    await expectTookEffectOnce(family);
  }, 120_000);
});

describe('kill -9 of all of them at once', () => {
  it('nothing is lost', async () => {
    const family = await raise(installation, 'all');
    await revokeIn(family, 3_000);
    await Promise.all([
      installation.temporal.kill(),
      installation.server.kill(),
      installation.worker.kill(),
      ...installation.hosts.map((host) => host.kill()),
    ]);
    database.kill();
    await sleep(4_000);
    await database.startAgain();
    await installation.temporal.startAgain();
    await Promise.all(
      [installation.server, installation.worker, ...installation.hosts].map((part) => part.startAgain()),
    );
    expect(await channelsOf(family)).toEqual(['v1', 'v1']);
    await expectTookEffectOnce(family);
    await expectNothingLeft(installation);
  }, 120_000);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
