import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openGates } from '../../src/domain/image-line.ts';
import type { Version } from '../../src/domain/version.ts';
import { install, type Installation, type Part, until } from '../support/installation.ts';
import { ended, expectNothingLeft, expectOneImage } from './clean-slate.ts';
import { apply, ask, by, project, slowLine } from './lines.ts';

const prod = { name: 'prod', gates: openGates };
const children = ['child-a', 'child-b'] as const;
let installation: Installation;

beforeAll(async () => {
  installation = await install();
  const line = await slowLine(0, { channels: [prod] });
  const child = { ...line, parents: [{ bucket: 'slow', channel: 'prod', variable: 'seed_image' }] };
  await apply(installation, line, ...children.map((bucket) => ({ ...child, bucket })));
  await bakeFamily();
}, 180_000);
afterAll(() => installation.stop(), 60_000);

async function bakeOne(bucket: string): Promise<Version> {
  const { registry } = installation;
  const version = await expectOneImage(
    installation,
    await ended(installation, await ask(installation, bucket)),
  );
  await registry.channels.assign({ project, bucket, channel: 'prod', versionId: version.id, by });
  return version;
}

/** The next version of the parent and, from it, of each child; all on `prod`. */
async function bakeFamily(): Promise<readonly Version[]> {
  const parent = await bakeOne('slow');
  return [parent, ...(await Promise.all(children.map(bakeOne)))];
}

const imageOf = ({ builds }: Version): string => builds[0]?.artifacts[0]?.image.imageId ?? '';
const isDisabled = (version: Version): boolean =>
  existsSync(path.join(installation.images, 'disabled', imageOf(version)));

/** Somebody's transaction stands in the way of everything that is to be recorded of a bucket. */
async function holdBucket(bucket: string): Promise<() => Promise<void>> {
  const lock = await installation.database.connect();
  onTestFinished(() => void lock.end());
  await lock.query('begin');
  await lock.query('select 1 from bucket where name = $1 for update', [bucket]);
  return async () => void (await lock.query('rollback'));
}

const disabled = async ({ id }: Version): Promise<number> => {
  const receipts = await installation.registry.enforcement.receipts(project, { versionId: id });
  return receipts.filter(({ action, outcome }) => action === 'disable' && outcome === 'done').length;
};

async function expectRevoked(family: readonly Version[]): Promise<void> {
  const { registry, images } = installation;
  await until(
    'every version is blocked, with a receipt',
    async () => (await Promise.all(family.map(disabled))).every((count) => count > 0),
    120_000,
  );
  for (const version of family) {
    expect(existsSync(path.join(images, 'images', imageOf(version)))).toBe(false);
    expect(isDisabled(version)).toBe(true);
    expect((await registry.versions.get(version.id)).revocation.state).toBe('revoked');
    const { effective } = await registry.channels.get(project, version.bucket, 'prod');
    expect(effective).toMatchObject({ versionName: 'v1', revoked: false });
    expect((await registry.versions.resolve(project, version.bucket, 'prod')).versionName).toBe('v1');
  }
  const claims = async () => (await registry.claims.list(0, 100)).map(({ subject }) => subject);
  await until('every claim is given back', async () => (await claims()).length === 0, 60_000).catch(
    async () => expect(await claims()).toEqual([]),
  );
  // Counted at the end: nobody is left who could write another one.
  expect(await Promise.all(family.map(disabled))).toEqual(family.map(() => 1));
  for (const { id } of family) {
    const events = await registry.events.list(project, { versionId: id, limit: 1_000 });
    expect(events.filter(({ kind }) => kind === 'revocation.effective')).toHaveLength(1);
  }
  await expectNothingLeft(installation);
}

describe('kill -9 during a cascade, after an image was disabled and before that was recorded', () => {
  it.each(['worker', 'bake host', 'worker and bake host'])(
    'of the %s: all versions are blocked, with one receipt each, and the channels are right',
    async (victim) => {
      const { registry } = installation;
      const family = await bakeFamily();
      const [parent, child] = family;
      if (parent === undefined || child === undefined) throw new Error('a family has a parent and children');

      await registry.revocations.revoke({
        versionId: parent.id,
        reason: 'a hole in it',
        rollBack: true,
        descendants: true,
        by,
      });
      const letGo = await holdBucket(child.bucket);
      await until('the child is disabled', () => isDisabled(child), 60_000);
      expect(await disabled(child)).toBe(0);
      const parts: Part[] = [
        ...(victim.includes('worker') ? [installation.worker] : []),
        ...(victim.includes('host') ? installation.hosts : []),
      ];
      await Promise.all(parts.map((part) => part.kill()));
      await letGo();
      await Promise.all(parts.map((part) => part.startAgain()));

      await expectRevoked(family);
    },
    240_000,
  );
});
