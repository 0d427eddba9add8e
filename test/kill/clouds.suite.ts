/** What closed workflows and killed workers leave in a cloud is taken away; what is wanted is made once. The same for every cloud. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ImageLine } from '../../src/domain/image-line.ts';
import type { Version } from '../../src/domain/version.ts';
import { until } from '../support/installation.ts';
import { type CloudInstallation, imagesOf, installBefore } from './cloud-installation.ts';
import type { CloudPlaces, Everything } from '../support/clouds/places.ts';
import { artifactsOf, project } from '../support/clouds/seeded.ts';

const without = (all: readonly string[], known: readonly string[]) =>
  all.filter((one) => !known.includes(one));

export function cloudSuite(name: string, open: () => Promise<CloudPlaces>): void {
  describe(name, () => {
    let cloud: CloudPlaces;
    let at: CloudInstallation;
    beforeAll(async () => {
      cloud = await open();
      at = await installBefore(cloud);
    }, 150_000);
    afterAll(async () => {
      await at.stop();
      await cloud.stop();
    }, 60_000);
    let before: Everything;
    beforeEach(async () => {
      before = await cloud.everything();
    });
    afterEach(() => cloud.copiesTakeAMoment());

    const targets = () => [
      {
        ...cloud.baked,
        launch: cloud.launch,
        ...(cloud.share === undefined ? {} : { shareWith: [cloud.share] }),
      },
      ...cloud.copies.map((place) => ({ ...place, launch: {}, copy: true })),
    ];
    /** What came since the test began. */
    const now = async (): Promise<Everything> => {
      const { images, storage, others } = await cloud.everything();
      return {
        images: without(images, before.images),
        storage: without(storage, before.storage),
        others: without(others, before.others),
      };
    };
    /** The cloud holds the version's images, launchable, with their storage, and nothing else that is new. */
    const expectOnly = async (version: Version, state = 'available') => {
      const { images, storage, others } = await now();
      expect({ images, others }).toEqual({ images: imagesOf(version, state), others: [] });
      expect([0, images.length]).toContain(storage.length);
    };
    const nothing = { images: [], storage: [], others: [] };
    const release = async (copies: 'slow' | 'fast', over: Partial<ImageLine> = {}) => {
      const bucket = await at.line({ targets: targets(), ...over });
      const { request, version } = await at.bake(bucket);
      const begun = await cloud.copiesBegun();
      if (copies === 'slow') await cloud.copiesTakeLong();
      await at.relay();
      const handle = at.handle(request.workflowId);
      const copying = () =>
        until(
          'the copies are being made',
          async () => (await cloud.copiesBegun()) >= begun + cloud.atOnce,
          60_000,
        );
      const copied = async () => {
        const events = await at.registry.events.list(project, { versionId: version.id, limit: 1_000 });
        return events.filter(({ kind }) => kind === 'artifact.copied').length;
      };
      const current = () => at.registry.versions.get(version.id);
      return { request, version, handle, copying, copied, begun, current };
    };

    it('a release that is terminated in the middle of its copies leaves the image that was baked, and nothing else', async () => {
      const { request, handle, copying, copied, current } = await release('slow');
      await copying();
      await handle.terminate('by hand');
      await at.settled(90_000);

      await expectOnly(await current());
      expect(artifactsOf(await current())).toHaveLength(1);
      expect(await copied()).toBe(0);
      expect(await at.registry.requests.byId(request.id)).toMatchObject({ state: 'abandoned' });
    }, 120_000);

    it('a release that is cancelled in the middle of its copies takes them back, and leaves the image that was baked', async () => {
      const { request, handle, copying, copied, current } = await release('slow');
      await copying();
      await handle.cancel();
      await expect(at.resultOf(handle.workflowId)).rejects.toMatchObject({
        cause: { name: 'CancelledFailure' },
      });
      // Its own undoing, with no reaper's help.
      expect(await at.open()).toEqual([]);

      await expectOnly(await current());
      const [artifact, ...copies] = artifactsOf(await current());
      expect(copies).toEqual([]);
      // A copy in another account is made of what is shared with it.
      const { shares } = await cloud.granted();
      expect(shares.filter((one) => one.includes(artifact?.image.imageId ?? ''))).toEqual([]);
      expect(await copied()).toBe(0);
      expect(await at.registry.requests.byId(request.id)).toMatchObject({ state: 'cancelled' });
    }, 120_000);

    it('a worker that is killed while it waits for copies: another one goes on with the same copies', async () => {
      const { handle, copying, copied, begun, current } = await release('slow');
      await copying();
      await at.worker.kill();
      await at.worker.start();
      expect(await at.resultOf(handle.workflowId)).toMatchObject({ channels: [] });
      await at.settled(60_000);

      expect(await cloud.copiesBegun()).toBe(begun + cloud.copies.length);
      expect(await copied()).toBe(cloud.copies.length);
      const version = await current();
      expect(version.verified).toBe(true);
      expect(artifactsOf(version)).toHaveLength(1 + cloud.copies.length);
      await expectOnly(version);
    }, 120_000);

    it('a version that is revoked while it is copied: its copies are taken away, not launchable for a moment more', async () => {
      const { version, handle, copying, copied, current } = await release('slow');
      await copying();
      await at.revoke(version);
      await expect(at.resultOf(handle.workflowId)).rejects.toMatchObject({
        cause: { type: 'illegal_state' },
      });
      await at.retired(version);
      await at.settled(90_000);

      expect(artifactsOf(await current())).toHaveLength(1);
      expect(await copied()).toBe(0);
      await expectOnly(await current(), cloud.blocked);
    }, 120_000);

    it('a test launch that is terminated while its machine runs: the machine is ended', async () => {
      const sleeps = { name: 'sleeps', kind: 'command', command: 'sleep 60', timeoutMs: 90_000 } as const;
      const { request, version } = await at.bake(await at.line({ targets: targets(), tests: [sleeps] }));
      // Else its release begins as soon as a later test lets the relay work.
      await at.registry.requests.finish(request.id, 1, { state: 'abandoned' });
      const [artifact] = artifactsOf(version);
      const handle = await at.start('testLaunch', `test of ${version.id}`, { artifactId: artifact?.id });
      await until('the machine runs', async () => (await now()).others.length > 0, 60_000);
      expect((await at.registry.ledger.listOpen()).map(({ kind }) => kind)).toEqual(['machine']);
      await handle.terminate('by hand');
      await at.settled(90_000);

      await expectOnly(version);
    }, 120_000);

    it('an attempt whose host is gone, and whose bake was terminated: machine and finished image are taken away after its time', async () => {
      const bucket = await at.line({ targets: targets() });
      const { request, mark } = await at.begin(bucket, 4_000);
      await cloud.packerMachine(mark);
      await at.collect(mark);
      expect((await now()).images).toHaveLength(1);
      expect((await now()).others).not.toEqual([]);
      await at.registry.requests.finish(request.id, 1, { state: 'abandoned' });
      await at.settled(90_000);

      expect(await now()).toEqual(nothing);
    }, 120_000);

    it('a retirement covers the copies: blocked, unshared, and after the grace deleted with their storage', async () => {
      const { version, handle, current } = await release('fast', { deleteAfterMs: 1_000 });
      await at.resultOf(handle.workflowId);
      await at.revoke(version);
      expect(await at.retired(version)).toMatchObject({ places: 1 + cloud.copies.length });

      const receipts = await at.registry.enforcement.receipts(project, { versionId: version.id, limit: 100 });
      const artifacts = artifactsOf(await current());
      expect(artifacts).toHaveLength(1 + cloud.copies.length);
      for (const { id } of artifacts) {
        const done = receipts.filter((one) => one.artifactId === id && one.outcome === 'done');
        expect(done.map(({ action }) => action)).toEqual(expect.arrayContaining(['disable', 'delete']));
      }
      expect(await now()).toEqual(nothing);
    }, 120_000);
  });
}
