/** Copies that fail, are refused, or lie in another account. */
import {
  CopyImageCommand,
  DescribeSnapshotAttributeCommand,
  DescribeSnapshotsCommand,
} from '@aws-sdk/client-ec2';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BakeMark, CallContext, CollectedImage, CopyInput } from '../../src/providers/provider.ts';
import { awsAccounts } from '../support/clouds/aws.ts';
import { away, bakedImage, home, place } from './aws-fixture.ts';
import { useAws } from './use-aws.ts';
import { failure } from './provider-fixture.ts';

const { owner, firstShare } = awsAccounts;
const context: CallContext = { signal: AbortSignal.timeout(300_000), beat: () => undefined };
const mark: BakeMark = { bakeId: 'bake-1', attemptId: 'attempt-1', imageName: 'image-1' };

describe('copies in aws', { timeout: 60_000 }, () => {
  const aws = useAws();
  let source: CollectedImage;
  beforeEach(async () => {
    source = await bakedImage(aws(), mark, { zone: 'a', app: 'web', team: 'b' });
  });

  const copy = async (more: Partial<CopyInput> = {}, by: CallContext = context) =>
    aws().provider.distribution!.copy(
      { copyId: 'copy-1', runId: 'run-1', mark, source, target: place(away), settings: {}, ...more },
      by,
    );
  const ids = async (region = away, account: string = owner) =>
    (await aws().cloud.everything(account, region)).images.map(({ id }) => id);
  const copyCalls = async () =>
    (await aws().cloud.calls()).filter(({ action }) => action === 'CopyImage').length;

  /** Begins one that fails in AWS. */
  async function failed(more: Partial<CopyInput> = {}): Promise<string> {
    await aws().cloud.setDelays({ image: 100_000 });
    const begun = copy(more, {
      ...context,
      beat: (progress) => {
        if (typeof progress === 'object' && progress !== null && 'imageId' in progress)
          void aws().cloud.failImage(String(progress.imageId), away);
      },
    });
    await expect(begun).rejects.toEqual(failure('bake_failed', 'failed'));
    await aws().cloud.setDelays({ image: 60 });
    return (await ids())[0] ?? '';
  }

  it('that failed are none: the next run, and a try after a crash, make another', async () => {
    const broken = await failed();
    const made = await copy({ runId: 'run-2' });

    expect(made.imageId).not.toBe(broken);
    expect(await aws().provider.images.inspect(made)).toMatchObject({ presence: 'present' });
    expect(await ids()).toEqual([made.imageId]);
  });

  it('that failed unseen are made anew in the same run', async () => {
    const broken = await failed();
    const made = await copy({}, { ...context, lastBeat: { imageId: broken } });

    expect(made.imageId).not.toBe(broken);
    expect(await ids()).toEqual([made.imageId]);
  });

  it('whose failed image was swept are made anew by the next run', async () => {
    await failed();
    for (const leftover of await aws().provider.cleanup.leftovers('copy-1', [place(away)]))
      await aws().provider.cleanup.sweep(leftover);
    expect(await ids()).toEqual([]);
    const made = await copy({ runId: 'run-2' });

    expect(await ids()).toEqual([made.imageId]);
  });

  it('are asked for with the same words, whatever order the tags come in', async () => {
    await aws().cloud.fault({ action: 'CopyImage', answer: 'timeout-after-effect', times: 1 });
    await aws().cloud.setDelays({ visible: 100_000 });
    await expect(copy()).rejects.toEqual(failure('provider_unavailable'));
    // Its token answers it, also while it is not seen.
    for (let tries = 0; tries < 3; tries += 1)
      await expect(copy()).rejects.toEqual(failure('provider_unavailable', 'the copy ami-', 'not seen yet'));

    expect(await ids()).toHaveLength(1);
  });

  it('begun by another run and not seen yet are found, not asked for twice', async () => {
    await aws().cloud.setDelays({ visible: 400 });
    await aws().cloud.fault({ action: 'CopyImage', answer: 'timeout-after-effect', times: 1 });
    await expect(copy()).rejects.toEqual(failure('provider_unavailable'));
    const made = await copy({ runId: 'run-2' });

    expect(await ids()).toEqual([made.imageId]);
    expect(await copyCalls()).toBeGreaterThan(1);
  });

  it('under a token that other words used are waited for, and then said to be unseen', async () => {
    await aws()
      .cloud.ec2(owner, away)
      .send(
        new CopyImageCommand({
          Name: 'other',
          SourceImageId: source.imageId,
          SourceRegion: home,
          ClientToken: 'copy-1/run-1',
        }),
      );

    await expect(copy()).rejects.toEqual(failure('provider_unavailable', 'begun with other settings'));
  });

  it('under a name that is taken are refused', async () => {
    await aws()
      .cloud.ec2(owner, away)
      .send(
        new CopyImageCommand({ Name: mark.imageName, SourceImageId: source.imageId, SourceRegion: home }),
      );

    await expect(copy()).rejects.toEqual(failure('already_exists', mark.imageName));
  });

  it('into another account open the image and its storage to it first', async () => {
    const made = await copy({ target: place(home, firstShare) });

    expect(await aws().provider.images.inspect(made)).toMatchObject({ presence: 'present' });
    expect(await aws().provider.sharing!.read(source)).toEqual([firstShare]);
    const ec2 = aws().cloud.ec2(owner, home);
    const { Snapshots = [] } = await ec2.send(
      new DescribeSnapshotsCommand({
        OwnerIds: ['self'],
        Filters: [{ Name: 'tag:bake_id', Values: [mark.bakeId] }],
      }),
    );
    const Attribute = 'createVolumePermission';
    const request = new DescribeSnapshotAttributeCommand({ SnapshotId: Snapshots[0]?.SnapshotId, Attribute });
    expect((await ec2.send(request)).CreateVolumePermissions).toEqual([{ UserId: firstShare }]);
  });

  it('into another account open it again when whoever wrote the shares of the line meanwhile has closed it', async () => {
    await aws().cloud.fault({ action: 'CopyImage', answer: 'not-found', times: 1 });
    let closed: Promise<unknown> | undefined;
    const beat = () => {
      closed ??= aws().provider.sharing!.write(source, []);
    };
    const made = await copy({ target: place(home, firstShare) }, { ...context, beat });

    await closed;
    expect(closed).toBeDefined();
    expect(await aws().provider.images.inspect(made)).toMatchObject({ presence: 'present' });
  });

  it('of a disabled image are refused at once', async () => {
    await aws().provider.images.setLaunchable(source, false);

    await expect(copy()).rejects.toEqual(failure('illegal_state', source.imageId, 'restore'));
    await expect(aws().provider.sharing!.write(source, [firstShare])).rejects.toEqual(
      failure('illegal_state', source.imageId, 'restored'),
    );
    expect(await copyCalls()).toBe(0);
  });
});
