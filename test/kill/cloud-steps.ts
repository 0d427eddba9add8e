/** The steps that change a cloud: how each is reached, and what is true of it when it was done, or taken back. */
import { expect } from 'vitest';
import { openGates } from '../../src/domain/image-line.ts';
import type { ReceiptAction } from '../../src/domain/revocation.ts';
import type { Version } from '../../src/domain/version.ts';
import { workflowIds } from '../../src/domain/workflow-ids.ts';
import type { CloudAct, CloudPlaces } from '../support/clouds/places.ts';
import { artifactsOf, by, project } from '../support/clouds/seeded.ts';
import { until } from '../support/installation.ts';
import type { CloudInstallation } from './cloud-installation.ts';

/** A workflow whose call to the cloud had its effect, and has no answer yet. */
export interface Held {
  readonly workflowId: string;
  /** It was done once, whoever did it. */
  done(): Promise<void>;
  /** It was cancelled: what was begun is taken back, or goes on by itself. */
  cancelled(): Promise<void>;
}

/** Makes ready what it needs, and answers what brings it to the call that is held. */
export type Step = () => Promise<() => Promise<Held>>;

export function cloudSteps(at: CloudInstallation, cloud: CloudPlaces): Readonly<Record<CloudAct, Step>> {
  const { registry } = at;
  const targets = (reader: string) => [{ ...cloud.baked, launch: cloud.launch, shareWith: [reader] }];
  const line = (over: Partial<Parameters<typeof at.line>[0]> = {}) =>
    at.line({ targets: [{ ...cloud.baked, launch: cloud.launch }], ...over });

  /** Baked, and wanted by no release. */
  const baked = async (bucket: string): Promise<Version> => {
    const { request, version } = await at.bakeUntested(bucket);
    await registry.requests.finish(request.id, 1, { state: 'abandoned' });
    return version;
  };
  const held = async (act: CloudAct, begin: () => Promise<unknown>): Promise<void> => {
    const isHeld = await cloud.hold(act);
    await begin();
    await until(`${act} was asked for`, isHeld, 60_000).catch(async (error: unknown) => {
      throw new Error(await at.underWay(), { cause: error });
    });
  };
  const refused = (workflowId: string) =>
    expect(at.resultOf(workflowId)).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  const receiptsOf = async ({ id: versionId }: Version, ...actions: readonly ReceiptAction[]) => {
    const receipts = await registry.enforcement.receipts(project, { versionId, limit: 1_000 });
    const done = receipts.filter(({ outcome }) => outcome === 'done').map(({ action }) => action);
    return done.filter((action) => actions.includes(action)).toSorted();
  };

  const launching = async (act: 'launch' | 'end') => {
    const version = await baked(await line());
    const [artifact] = artifactsOf(version);
    const workflowId = `test of ${version.id}`;
    return async (): Promise<Held> => {
      await held(act, () => at.start('testLaunch', workflowId, { artifactId: artifact?.id }));
      const tests = async () => {
        const events = await registry.events.list(project, { versionId: version.id, limit: 1_000 });
        return events.filter(({ kind }) => kind === 'artifact.tested').length;
      };
      const launches = (await registry.ledger.listOpen()).filter(({ owner }) => owner === artifact?.id);
      const onlyOne = async () => {
        expect(launches).toHaveLength(1);
        for (const { mark } of launches) expect(await cloud.machinesMade(mark)).toBe(1);
      };
      const done = async () => {
        expect(await at.resultOf(workflowId)).toMatchObject({ passed: true, failed: [] });
        expect(await tests()).toBe(1);
        await onlyOne();
      };
      const undone = async () => {
        await refused(workflowId);
        // Its own undoing, with no reaper's help.
        expect(await at.open()).toEqual([]);
        expect(await tests()).toBe(0);
        await onlyOne();
      };
      // The test has ended once its machine is: its result stands.
      return { workflowId, done, cancelled: act === 'launch' ? undone : done };
    };
  };

  const retiring = async (
    act: 'block' | 'announce' | 'remove',
    receipts: readonly ReceiptAction[],
    deleteAfterMs?: number,
  ) => {
    const version = await baked(await line(deleteAfterMs === undefined ? {} : { deleteAfterMs }));
    const [artifact] = artifactsOf(version);
    if (artifact === undefined) throw new Error('no image');
    await cloud.provider.sharing?.write(artifact.image, [cloud.copies[1].account]);
    return async (): Promise<Held> => {
      await held(act, () => at.revoke(version));
      const workflowId = workflowIds.retire(project, version.id);
      const { runId } = await at.handle(workflowId).describe();
      const done = async () => {
        expect(await at.retired(version)).toMatchObject({ places: 1 });
        expect(await receiptsOf(version, 'disable', 'deprecate', 'delete')).toEqual(receipts);
      };
      return {
        workflowId,
        done,
        // A revocation is a fact: who cancels what makes it true only puts it off.
        async cancelled() {
          await expect(at.handle(workflowId, runId).result()).rejects.toMatchObject({
            cause: { name: 'CancelledFailure' },
          });
          await until('it goes on by itself', async () => {
            await at.relay();
            return (await at.handle(workflowId).describe()).runId !== runId;
          });
          await done();
        },
      };
    };
  };

  return {
    launch: () => launching('launch'),
    end: () => launching('end'),
    async share() {
      const bucket = await line({ targets: targets(cloud.reader()) });
      return async () => {
        // Its release is begun by whoever relays next.
        const { request, version } = await at.bake(bucket);
        const { workflowId } = request;
        await held('share', at.relay);
        const verified = async () => (await registry.versions.get(version.id)).verified;
        return {
          workflowId,
          async done() {
            expect(await at.resultOf(workflowId)).toMatchObject({ channels: [] });
            expect(await verified()).toBe(true);
            expect(await receiptsOf(version, 'share', 'verify')).toEqual(['share', 'verify']);
          },
          async cancelled() {
            await refused(workflowId);
            expect(await registry.requests.byId(request.id)).toMatchObject({ state: 'cancelled' });
            expect(await verified()).toBe(false);
          },
        };
      };
    },
    async publish() {
      const bucket = await line({ channels: [{ name: 'prod', gates: openGates }] });
      const promote = async ({ id: versionId }: Version) => {
        const asked = { project, bucket, channel: 'prod', versionId, reason: '', by };
        const { id } = await registry.promotions.request(asked);
        await at.relay();
        return id;
      };
      const shown = async () => (await registry.channels.get(project, bucket, 'prod')).effective.versionId;
      const [first, second] = [await baked(bucket), await baked(bucket)];
      await at.resultOf(workflowIds.promote(project, await promote(first)));
      let promotion = '';
      return async () => {
        await held('publish', async () => (promotion = await promote(second)));
        const workflowId = workflowIds.promote(project, promotion);
        return {
          workflowId,
          async done() {
            await at.resultOf(workflowId);
            expect(await registry.promotions.get(promotion)).toMatchObject({ state: 'done' });
            expect(await shown()).toBe(second.id);
          },
          async cancelled() {
            await refused(workflowId);
            expect(await registry.promotions.get(promotion)).toMatchObject({ state: 'failed' });
            expect(await shown()).toBe(first.id);
          },
        };
      };
    },
    block: () => retiring('block', ['deprecate', 'disable']),
    announce: () => retiring('announce', ['deprecate', 'disable']),
    remove: () => retiring('remove', ['delete', 'deprecate', 'disable'], 1_000),
  };
}
