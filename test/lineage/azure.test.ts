/** The whole life of three layers in Azure: images become versions of the gallery, are replicated, shared, published, revoked, and gone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BakeRequest, Version } from '../../src/domain/version.ts';
import { until } from '../support/installation.ts';
import { by } from '../support/clouds/seeded.ts';
import { type AzureInstallation, installInAzure, regions } from './azure-installation.ts';
import { galleriesOfOthers, pointers, polls, putsOf, seenInAzure, versionsOfOthers } from './azure-seen.ts';
import { patience, project, proving } from './proof.ts';
import { artifactsOf } from './receipts.ts';

/** Long enough to look at what is hidden, also where two processors have much to do. */
const graceMs = 15_000;
const timeout = 200_000;
const ended = ['disable', 'deprecate', 'delete'];

const imageIdOf = (version: Version) => artifactsOf(version)[0]?.image.imageId ?? '';
const numberOf = (version: Version) => imageIdOf(version).split('/').at(-1) ?? '';
const everywhere = (version?: Version) =>
  Object.fromEntries(regions.map((region) => [region, version && numberOf(version)]));

describe('three layers in Azure', { timeout }, () => {
  let at: AzureInstallation;
  let proof: ReturnType<typeof proving>;
  beforeAll(async () => {
    at = await installInAzure();
    proof = proving({
      receiptsOf: ({ id }) => at.registry.enforcement.receipts(project, { versionId: id, limit: 500 }),
      seen: (artifact) => seenInAzure(at, artifact),
    });
  }, 150_000);
  afterAll(() => at.stop(), 60_000);

  async function released({ workflowId, id }: BakeRequest, version: Version): Promise<Version> {
    await at.resultOf(workflowId);
    const { state, failure } = await at.registry.requests.byId(id);
    expect({ state, failure }).toEqual({ state: 'succeeded', failure: null });
    return at.registry.versions.get(version.id);
  }

  async function bakedAndReleased(bucket: string): Promise<Version> {
    const { request, version } = await at.bakeUntested(bucket);
    return released(request, version);
  }

  async function revoke({ id: versionId }: Version): Promise<void> {
    const how = { reason: 'a hole', rollBack: true, descendants: true };
    await at.registry.revocations.revoke({ versionId, ...how, by });
  }

  let first: Version;
  let lineage: readonly [Version, Version, Version];

  it('a root whose worker is killed in the middle of a replication: another one goes on polling it, with no second PUT', async () => {
    const slow = 'uksouth';
    await at.cloud.setDelays({ replication: { [slow]: 20_000 } });
    const bucket = await at.layer(undefined, { deleteAfterMs: graceMs });
    const { request, version } = await at.bakeUntested(bucket);
    let operation: string | undefined;
    await until(
      'the replication is under way, and its step has said which operation of Azure it waits for',
      async () => {
        const steps = await at.beatsOf(request.workflowId);
        operation = steps.flatMap(
          (step) => new RegExp(`@${slow}.*operations/([\\w-]+)`).exec(step)?.[1] ?? [],
        )[0];
        return operation !== undefined;
      },
      60_000,
    );
    await at.worker.kill();
    const [before, polled] = [
      await putsOf(at.cloud, imageIdOf(version)),
      await polls(at.cloud, operation ?? ''),
    ];
    await at.worker.start();
    first = await released(request, version);
    await at.cloud.setDelays({ replication: 150 });

    expect(await polls(at.cloud, operation ?? '')).toBeGreaterThan(polled);
    // Made, two replicas, and its shares noted: the replication that was cut short is among those before the kill.
    expect(before).toBeGreaterThanOrEqual(2);
    expect(await putsOf(at.cloud, imageIdOf(version))).toBe(4);
    expect(await pointers(at, bucket)).toEqual(everywhere(first));
  });

  it('its next version, and one layer on the other: tested, in three regions, shared with two subscriptions, published', async () => {
    const base = await bakedAndReleased(first.bucket);
    const hardened = await bakedAndReleased(await at.layer(base.bucket, { deleteAfterMs: graceMs }));
    const app = await bakedAndReleased(await at.layer(hardened.bucket, { deleteAfterMs: graceMs }));
    lineage = [base, hardened, app];
    const parents = lineage.map((version) => version.parents.map(({ versionId }) => versionId));
    expect(parents).toEqual([[], [base.id], [hardened.id]]);
    for (const version of lineage) {
      const { tested, verified, bucket } = version;
      expect({ tested, verified }).toEqual({ tested: true, verified: true });
      const places = artifactsOf(version).map(({ image }) => image.target.region);
      expect(places.toSorted()).toEqual([...regions].toSorted());
      expect(await pointers(at, bucket)).toEqual(everywhere(version));
      for (const subscription of at.sharedWith) {
        for (const region of regions)
          expect(await versionsOfOthers(at.cloud, subscription, region, bucket)).toContain(numberOf(version));
      }
    }
    await proof.expectTrue([first, ...lineage], 'usable');
  });

  it('revoked at the root: all layers are hidden, not shared, announced; after the grace deleted in every region', async () => {
    const [base, hardened, app] = lineage;
    await revoke(base);
    await Promise.all(lineage.map((one) => proof.reaches(one, ['disable', 'deprecate'], 'blocked')));
    await expect.poll(() => pointers(at, base.bucket), patience).toEqual(everywhere(first));
    await expect.poll(() => pointers(at, hardened.bucket), patience).toEqual(everywhere());
    await expect.poll(() => pointers(at, app.bucket), patience).toEqual(everywhere());
    for (const { id } of [hardened, app]) {
      const { revocation } = await at.registry.versions.get(id);
      expect(revocation.inheritedFrom?.versionId).toBe(base.id);
    }

    await Promise.all(lineage.map((one) => proof.reaches(one, ended, 'gone')));
    await proof.expectTrue([first], 'usable');
    // The gallery stays shared for the one version that is left.
    for (const subscription of at.sharedWith) {
      for (const region of regions) {
        const seen = await versionsOfOthers(at.cloud, subscription, region, base.bucket);
        expect(seen).toEqual([numberOf(first)]);
      }
    }
  });

  it('nothing is left once the first version is revoked too, and the gallery is shared with nobody', async () => {
    await revoke(first);
    await proof.reaches(first, ['disable', 'deprecate'], 'blocked');
    for (const subscription of at.sharedWith)
      expect(await galleriesOfOthers(at.cloud, subscription)).toEqual([]);
    await proof.reaches(first, ended, 'gone');
    await at.settled(60_000);
    expect(await at.everything()).toEqual({ images: [], storage: [], others: [] });
  });
});
