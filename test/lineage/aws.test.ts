/** The whole life of three layers in AWS, with real Packer: baked, proved, published, revoked at the root, and gone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Version } from '../../src/domain/version.ts';
import { awsAccounts } from '../support/clouds/aws.ts';
import { awsAway, awsHome } from '../support/clouds/file.ts';
import { type AwsInstallation, installInAws } from './aws-installation.ts';
import { applyLayers, sharedWith } from './aws-lines.ts';
import { leftInAws, parameters, seenInAws, tagsSeen } from './aws-seen.ts';
import { patience, project, proving } from './proof.ts';
import { artifactsOf } from './receipts.ts';

/** Long enough to look at what is blocked, also where two processors have much to do. */
const graceMs = 15_000;
const timeout = 200_000;

const imagesOf = (version: Version) =>
  Object.fromEntries(artifactsOf(version).map(({ image }) => [image.target.region, image.imageId]));

describe('three layers in AWS', { timeout }, () => {
  let at: AwsInstallation;
  let proof: ReturnType<typeof proving>;
  beforeAll(async () => {
    at = await installInAws();
    proof = proving({
      async receiptsOf({ bucket, id }) {
        const { receipts } = await at.client.listReceipts({ project, bucket, version: id, limit: 500 });
        return receipts;
      },
      seen: (artifact) => seenInAws(at.cloud, artifact),
    });
    await applyLayers(at, graceMs);
  }, 120_000);
  afterAll(() => at.stop(), 60_000);

  const current = (bucket: string, version: string): Promise<Version> =>
    at.client.getVersion({ project, bucket, version });

  async function released(bucket: string): Promise<Version> {
    const { request } = await at.client.acceptRequest({ project, bucket, kind: 'release' });
    const now = () => at.client.getRequest({ project, request: request.id });
    await expect.poll(async () => (await now()).state, patience).not.toBe('open');
    const { state, failure, versionId } = await now();
    expect({ state, failure }).toEqual({ state: 'succeeded', failure: null });
    return current(bucket, versionId ?? '');
  }

  /** Region → the image that the registry has as published there. */
  async function published(bucket: string) {
    const { id } = await at.client.getChannel({ project, bucket, channel: 'prod' });
    const places = await at.registry.pointers.published(id);
    return Object.fromEntries(places.map(({ target, imageId }) => [target.region, imageId ?? undefined]));
  }

  /** The owner's parameters, and what the registry has of them. */
  async function expectShown(bucket: string, images: Readonly<Record<string, string | undefined>>) {
    await expect.poll(() => parameters(at.cloud, bucket), patience).toEqual(images);
    await expect.poll(() => published(bucket), patience).toEqual(images);
  }

  let first: Version;
  let second: Version;
  let lineage: readonly [Version, Version, Version];

  it('two versions of the root, released in two regions', async () => {
    first = await released('base');
    expect(Object.keys(imagesOf(first)).toSorted()).toEqual([awsHome, awsAway].toSorted());
    await expectShown('base', imagesOf(first));
    second = await released('base');
  });

  it('one layer on the other: tested, shared with two accounts, tagged in each, published', async () => {
    lineage = [second, await released('hardened'), await released('app')];
    const [base, hardened, app] = lineage;
    const parents = lineage.map((version) => version.parents.map(({ versionId }) => versionId));
    expect(parents).toEqual([[], [base.id], [hardened.id]]);
    for (const version of lineage) {
      const { tested, verified, bucket, name } = version;
      expect({ tested, verified }).toEqual({ tested: true, verified: true });
      await expectShown(bucket, imagesOf(version));
      for (const artifact of artifactsOf(version)) {
        const seen = await tagsSeen(at.cloud, artifact);
        for (const account of sharedWith) expect(seen[account]).toMatchObject({ bucket, version: name });
      }
    }
    // Packer was given the image of the layer below.
    for (const [parent, child] of [
      [base, hardened],
      [hardened, app],
    ] as const) {
      const seen = await Promise.all(artifactsOf(child).map((artifact) => tagsSeen(at.cloud, artifact)));
      const named = seen.map(({ [awsAccounts.owner]: tags }) => tags?.['parent']);
      expect(named).toEqual([imagesOf(parent)[awsHome], imagesOf(parent)[awsHome]]);
    }
    await proof.expectTrue([first, ...lineage], 'usable');
  });

  it('revoked at the root: all layers are blocked, not shared, announced; after the grace deleted with their storage', async () => {
    const [base, hardened, app] = lineage;
    await at.client.revokeVersion({ project, bucket: 'base', version: base.name, reason: 'a hole' });
    await Promise.all(lineage.map((one) => proof.reaches(one, ['disable', 'deprecate'], 'blocked')));
    const nowhere = { [awsHome]: undefined, [awsAway]: undefined };
    // The root's channel goes back to the version before; the others have none.
    await expectShown('base', imagesOf(first));
    await expectShown('hardened', nowhere);
    await expectShown('app', nowhere);
    for (const { bucket, id } of [hardened, app]) {
      const { revocation } = await current(bucket, id);
      expect(revocation.inheritedFrom?.versionId).toBe(base.id);
    }

    const ended = ['disable', 'deprecate', 'delete'];
    await Promise.all(lineage.map((one) => proof.reaches(one, ended, 'gone')));
    await proof.expectTrue([first], 'usable');
  });

  it('nothing is left, by list and by tag, in any account and region, once the first version is revoked too', async () => {
    await at.client.revokeVersion({ project, bucket: 'base', version: first.name, reason: 'a hole' });
    await proof.reaches(first, ['disable', 'deprecate', 'delete'], 'gone');
    await expect.poll(() => leftInAws(at.cloud), patience).toEqual([]);
    expect(await at.registry.ledger.listOpen()).toEqual([]);
  });
});
