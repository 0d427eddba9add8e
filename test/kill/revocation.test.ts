/** kill -9 of the worker at the moments of a revocation that matter: while its effect is written, and while it is made true. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { install, type Installation, until } from '../support/installation.ts';
import { expectNothingLeft, expectStoreAsRecorded } from './clean-slate.ts';
import { effectsOf, expectEnforcedOnce, type Family, raise, resolved } from './family.ts';
import { stopAt, type StopPoint } from './hold-up.ts';
import { by, project } from './lines.ts';

let installation: Installation;
let families = 0;

beforeAll(async () => {
  installation = await install();
}, 120_000);
afterAll(() => installation.stop(), 60_000);

const newFamily = (): Promise<Family> => raise(installation, `revoked-${++families}`);

async function revoke({ parents: [, version] }: Family, inMs?: number): Promise<void> {
  await installation.registry.revocations.revoke({
    versionId: version.id,
    reason: 'a hole',
    rollBack: true,
    descendants: true,
    by,
    ...(inMs === undefined ? {} : { inMs }),
  });
}

/** The effect once, each image blocked and its end announced with one receipt each, both channels at the version before. */
async function expectRevokedOnce(family: Family): Promise<void> {
  const revoked = [family.parents[1], family.children[1]];
  await expectEnforcedOnce(installation, revoked, 120_000);
  const { enforcement } = installation.registry;
  for (const { id, builds } of revoked) {
    const receipts = await enforcement.receipts(project, { versionId: id, limit: 1_000 });
    const acts = receipts.filter(({ action }) => action !== 'publish');
    const artifacts = builds.flatMap((build) => build.artifacts.map((artifact) => artifact.id));
    expect(
      acts.map(({ action, outcome, artifactId }) => `${action} ${outcome} ${artifactId ?? ''}`).toSorted(),
    ).toEqual(
      ['deprecate', 'disable']
        .flatMap((action) => artifacts.map((artifactId) => `${action} done ${artifactId}`))
        .toSorted(),
    );
  }
  expect(await effectsOf(installation, family.parents[1])).toHaveLength(1);
  expect(await effectsOf(installation, family.children[1])).toEqual([]);
  expect(await resolved(installation, family.parents[1].bucket)).toBe('v1');
  expect(await resolved(installation, family.children[1].bucket)).toBe('v1');
  await expectStoreAsRecorded(installation);
  await expectNothingLeft(installation);
}

describe('kill -9 of the worker while it writes the effect of a revocation at its date', () => {
  const effect = {
    table: 'event',
    act: 'insert',
    when: "new.kind = 'revocation.effective' and (new.data ->> 'root')::boolean",
  } as const;

  it.each([
    ['before it is committed: it is undone, and written once by the next worker', 'within', 0],
    ['after it is committed and before anybody is told: it is not written again', 'committing', 1],
  ] as const)(
    '%s',
    async (_what, at, written) => {
      const family = await newFamily();
      const stop = await stopAt(installation, { ...effect, at });
      await revoke(family, 2_000);
      await until('the effect is being written', () => stop.reached());

      await installation.worker.kill();
      await stop.letGo();
      await until('that transaction has ended', async () => !(await stop.reached()));
      const effects = async () => (await effectsOf(installation, family.parents[1])).length;
      await until(`${written} effects are written`, async () => (await effects()) === written, 5_000);
      // Readers go by the clock meanwhile.
      expect(await resolved(installation, family.parents[1].bucket)).toBe('v1');
      await installation.worker.startAgain();

      await expectRevokedOnce(family);
    },
    240_000,
  );
});

describe('kill -9 of the worker while a revocation is made true', () => {
  const claim = { table: 'claim', at: 'committing' } as const;
  const receipt = {
    table: 'receipt',
    act: 'insert',
    when: "new.action = 'disable' and new.outcome = 'done'",
  } as const;

  it.each<readonly [string, StopPoint]>([
    ['as it begins', { ...claim, act: 'insert', when: "new.subject like 'retire:%'" }],
    ['after an image is blocked and before its receipt is there', { ...receipt, at: 'within' }],
    ['after the receipt is there and before the workflow is told', { ...receipt, at: 'committing' }],
    ['as it ends', { ...claim, act: 'delete', when: "old.subject like 'retire:%'" }],
  ])(
    '%s: every image is blocked, with one receipt',
    async (_when, point) => {
      const family = await newFamily();
      const stop = await stopAt(installation, point);
      await revoke(family);
      await until('somebody has come to that point', () => stop.reached());

      await installation.worker.kill();
      await stop.letGo();
      await installation.worker.startAgain();

      await expectRevokedOnce(family);
    },
    240_000,
  );
});
