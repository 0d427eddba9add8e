/**
 * What a provider lacks, where the product meets it. Each provider is tried with each capability taken from it, so that none has to be found
 * that lacks it: the refusals are the product's own, on a registry of its own.
 */
import { MockActivityEnvironment } from '@temporalio/testing';
import { ulid } from 'ulid';
import { describe, expect, it } from 'vitest';
import { checksWith } from '../../src/activities/built-in-checks.ts';
import { createDistributionActivities } from '../../src/activities/distribution.ts';
import { createEnforcementActivities } from '../../src/activities/enforcement.ts';
import { createPointerActivities } from '../../src/activities/pointers.ts';
import type { ImageLine, LineTarget } from '../../src/domain/image-line.ts';
import { targetKey } from '../../src/domain/target.ts';
import { checkLines } from '../../src/providers/check-lines.ts';
import type { Capabilities, ImageProvider, Providers } from '../../src/providers/provider.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { artifactsOf, by, project, seeding } from '../support/clouds/seeded.ts';
import { useDatabase } from '../support/database.ts';
import { failure, type Subject } from './provider-fixture.ts';

type Absent = {
  readonly [Name in keyof Capabilities]: Capabilities[Name] extends boolean ? Name : never;
}[keyof Capabilities];

type Changeable = { -readonly [Name in keyof ImageProvider]: ImageProvider[Name] };

/** As a provider would be that never had it. */
function without(provider: ImageProvider, absent: Absent): ImageProvider {
  const left: Changeable = { ...provider, capabilities: { ...provider.capabilities, [absent]: false } };
  const { sharing } = left;
  if (absent === 'pointers') delete left.pointers;
  if (absent === 'share') delete left.sharing;
  if (absent === 'distribute') delete left.distribution;
  if (absent === 'deprecate') delete left.deprecate;
  if (absent === 'readDisk') delete left.searchDisk;
  if (absent === 'tagShares' && sharing !== undefined) {
    left.sharing = {
      read: (image) => sharing.read(image),
      write: (image, shares) => sharing.write(image, shares),
    };
  }
  return left;
}

const run = <T>(act: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(act);
const apply = (providers: Providers, line: ImageLine, target: LineTarget) => () =>
  checkLines(providers, [{ ...line, targets: [target] }]);

export function absentCases(subject: () => Subject): void {
  describe('what a provider lacks', () => {
    const database = useDatabase();

    async function lacking(absent: Absent, wish: (share: string) => Partial<LineTarget> = () => ({})) {
      const { fixture, target } = subject();
      const provider = without(fixture.provider, absent);
      const providers: Providers = { all: () => [provider], get: () => provider };
      const registry = createRegistry(database().store);
      const [, share = '111111111111'] = fixture.shares ?? [];
      const place: LineTarget = { ...target, launch: fixture.settings, ...wish(share) };
      const artifact = (mark: Parameters<typeof fixture.artifact>[0]) => fixture.artifact(mark);
      const seeds = seeding(registry, {
        provider: fixture.provider,
        baked: target,
        source: (await artifact(subject().mark('source'))).source,
        artifact,
      });
      const { request, version } = await seeds.bakeUntested(await seeds.line({ targets: [place] }));
      const { line } = await registry.requests.pins(request.id);
      const [{ id: artifactId } = { id: '' }] = artifactsOf(version);
      const receipts = async () =>
        registry.enforcement.receipts(project, { versionId: version.id, limit: 100 });
      return { provider, providers, registry, line, place, versionId: version.id, artifactId, receipts };
    }
    it('share: a line that asks for it is refused, and so is the step', async () => {
      const { provider, providers, registry, line, place, versionId, artifactId } = await lacking(
        'share',
        (share) => ({ shareWith: [share] }),
      );
      const activities = createDistributionActivities({ registry, providers });

      expect(apply(providers, line, place)).toThrow(
        expect.objectContaining({
          code: 'invalid_input',
          message: expect.stringContaining(`${targetKey(place)}: nothing can be shared there: remove`),
        }),
      );
      await expect(activities.shareImage(ulid(), { versionId, artifactId, target: place })).rejects.toEqual(
        failure('unsupported', provider.code, 'remove `shareWith`'),
      );
    });

    it('distribute: a line that asks for it is refused, and so is the step', async () => {
      const { provider, providers, registry, line, place, versionId, artifactId } =
        await lacking('distribute');
      const activities = createDistributionActivities({ registry, providers });
      const planned = { copyId: ulid(), versionId, artifactId, target: place };

      expect(apply(providers, line, { ...place, copy: true })).toThrow(
        expect.objectContaining({
          code: 'invalid_input',
          message: expect.stringContaining(`${targetKey(place)}: nothing can be copied there: remove`),
        }),
      );
      await expect(run(() => activities.copyImage(planned))).rejects.toEqual(
        failure('unsupported', provider.code, 'remove `copy`'),
      );
    });

    it('tagShares: the receipt of a share says that nobody sees tags', async () => {
      const { provider, providers, registry, place, versionId, artifactId, receipts } = await lacking(
        'tagShares',
        (share) => ({ shareWith: [share] }),
      );
      await createDistributionActivities({ registry, providers }).shareImage(ulid(), {
        versionId,
        artifactId,
        target: place,
      });

      expect(await receipts()).toMatchObject([
        {
          action: 'share',
          outcome: 'done',
          detail: expect.stringContaining(`no tags of their own for them: unsupported by ${provider.code}`),
        },
      ]);
    });

    it('deprecate: an announced end leaves a receipt that says so, once, and holds nothing up', async () => {
      const { provider, providers, registry, versionId, artifactId, receipts } = await lacking('deprecate');
      const activities = createEnforcementActivities({ registry, providers });
      const how = { reason: 'a hole', rollBack: false, descendants: false };
      const act = () => activities.announceEnd({ versionId, artifactId, receiptId: ulid() });
      await registry.revocations.revoke({ versionId, ...how, by });

      expect([await act(), await act()]).toEqual([{ outcome: 'done' }, { outcome: 'done' }]);
      expect(await receipts()).toMatchObject([
        {
          action: 'deprecate',
          outcome: 'refused',
          detail: expect.stringMatching(`^unsupported: ${provider.code} .*ask the registry`),
        },
      ]);
    });

    it('pointers: a channel is answered that there are none, and nothing counts as published', async () => {
      const { providers, registry, place } = await lacking('pointers');
      const activities = createPointerActivities({ registry, providers });
      const channelId = ulid();

      expect(await activities.publishPointer(channelId, place)).toEqual({
        state: 'no_pointers',
        imageId: null,
      });
      expect(await registry.pointers.published(channelId)).toEqual([]);
    });

    it('readDisk: what was not looked for on a disk is not told as passed', async () => {
      const { provider, target, image, context } = subject();
      const disk = checksWith('posix').looked.find(
        ({ name }) => name === 'nothing of the bake is on the disk',
      );
      const one = await image('unread');
      const machine = { launchId: 'none', target, machineId: 'none', handle: {} };
      const at = { provider: without(provider, 'readDisk'), image: one, machine, context };
      const seen = await disk?.look({ ...at, mustBeGone: ['a key'], secretScan: null });

      expect(disk).toBeDefined();
      expect(seen?.passed).not.toBe(true);
    });
  });
}
