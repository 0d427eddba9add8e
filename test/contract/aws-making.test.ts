/** Images of AWS as they are made: taken over from Packer, and copied. */
import { DescribeSnapshotsCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { BakeMark, CollectedImage, CollectInput, CopyInput } from '../../src/providers/provider.ts';
import { awsAccounts } from '../support/clouds/aws.ts';
import { away, home, makeImage, place } from './aws-fixture.ts';
import { failure } from './provider-fixture.ts';
import { bakeIn, collectInput, context, copyInput, ec2In, freshMark, tagsSeenBy, useAws } from './use-aws.ts';

const { owner, firstShare } = awsAccounts;
const aws = useAws();
const ec2 = (region?: string, account?: string) => ec2In(aws(), region, account);
const bake = (mark?: BakeMark) => bakeIn(aws(), mark);
const seenBy = (account: string, imageId: string) => tagsSeenBy(aws(), account, imageId);
const copyOf = async (of: CollectedImage, by: BakeMark, more: Partial<CopyInput>) =>
  aws().provider.distribution!.copy(copyInput(of, by, more), context);

describe('collecting', () => {
  it('takes the image of each region, and waits until they are available', async () => {
    const mark = freshMark();
    const images = {
      [home]: await makeImage(aws().cloud, mark),
      [away]: await makeImage(aws().cloud, mark, away),
    };
    const collected = await aws().provider.images.collect(collectInput(mark, images, [home, away]), context);

    expect(collected.map(({ target, imageId }) => [target.region, imageId])).toEqual(Object.entries(images));
    for (const image of collected)
      expect(await aws().provider.images.inspect(image)).toMatchObject({ presence: 'present' });
    expect(await aws().provider.images.findFinished(mark, [place(), place(away)])).toHaveLength(2);
  });

  it('says which region the template lacks, and whose an image is', async () => {
    const mark = freshMark();
    const imageId = await makeImage(aws().cloud, mark);
    const collect = async (input: CollectInput) => aws().provider.images.collect(input, context);

    await expect(collect(collectInput(mark, { [home]: imageId }, [home, away]))).rejects.toEqual(
      failure('bake_failed', away, 'ami_regions'),
    );
    const inShare = { ...collectInput(mark, { [home]: imageId }, []), targets: [place(home, firstShare)] };
    await expect(collect(inShare)).rejects.toEqual(failure('bake_failed', imageId, firstShare));
    await expect(collect({ ...inShare, targets: [place('eu-north-1')] })).rejects.toEqual(
      failure('invalid_input', 'eu-north-1', `${owner}/${home}`),
    );
  });

  it('puts the marks on the snapshots too', async () => {
    const mark = freshMark();
    const image = await bake(mark);
    const { Snapshots = [] } = await ec2().send(
      new DescribeSnapshotsCommand({
        OwnerIds: ['self'],
        Filters: [{ Name: 'tag:bake_id', Values: [mark.bakeId] }],
      }),
    );

    expect(Snapshots).toHaveLength(1);
    expect(await seenBy(owner, image.imageId)).toMatchObject({
      bake_id: mark.bakeId,
      image_name: mark.imageName,
      source: 'amazon-ebs.base',
    });
  });
});

describe('copies', () => {
  it('are made once, whoever asks how often, and are finished images with the marks', async () => {
    const mark = freshMark();
    const source = await bake(mark);
    const copy = () => aws().provider.distribution!.copy(copyInput(source, mark), context);
    const [one, two] = await Promise.all([copy(), copy()]);

    expect(two).toEqual(one);
    expect(await copy()).toEqual(one);
    expect((await aws().cloud.everything(owner, away)).images).toHaveLength(1);
    expect((await aws().provider.images.inspect(one)).tags).toMatchObject({
      bake_id: mark.bakeId,
      copy_id: `copy-${mark.bakeId}`,
      source: 'amazon-ebs.base',
    });
    expect(await aws().provider.images.findFinished(mark, [place(away)])).toMatchObject([one]);
    expect(await aws().provider.cleanup.leftovers(`copy-${mark.bakeId}`, [place(away)])).toEqual([]);
  });

  it('go on from the handle of an earlier try, without another request', async () => {
    const mark = freshMark();
    const source = await bake(mark);
    await aws().cloud.setDelays({ image: 100_000 });
    const stop = new AbortController();
    const beats: unknown[] = [];
    const first = aws().provider.distribution!.copy(copyInput(source, mark), {
      signal: stop.signal,
      beat: (progress) => {
        beats.push(progress);
        if (beats.length > 2) stop.abort(new Error('stop'));
      },
    });
    await expect(first).rejects.toThrow('stop');
    const leftovers = (of: string) => aws().provider.cleanup.leftovers(of, [place(away)]);
    expect(await leftovers(`copy-${mark.bakeId}`)).toMatchObject([{ kind: 'image' }]);
    // Whoever tidies up after the bake does not end it.
    expect([await leftovers(mark.bakeId), await leftovers(mark.attemptId)]).toEqual([[], []]);
    await aws().cloud.elapse(100_000);
    const copied = await aws().provider.distribution!.copy(copyInput(source, mark), {
      ...context,
      lastBeat: beats.at(-1),
    });

    expect(beats.at(-1)).toMatchObject({ imageId: copied.imageId });
    expect((await aws().cloud.calls()).filter(({ action }) => action === 'CopyImage')).toHaveLength(1);
  });

  it('are encrypted with the key of the target, and refuse a wrong setting and an unknown place', async () => {
    const mark = freshMark();
    const source = await bake(mark);
    const key = 'arn:aws:kms:us-west-2:111122223333:key/0f0e0d0c-0b0a-4908-8706-050403020100';
    const image = await copyOf(source, mark, { settings: { encryptionKey: key } });
    const { Snapshots: [snapshot] = [] } = await ec2(away).send(
      new DescribeSnapshotsCommand({ OwnerIds: ['self'] }),
    );

    expect(snapshot).toMatchObject({ Encrypted: true, KmsKeyId: key });
    expect(image.target).toEqual(place(away));
    await expect(copyOf(source, mark, { settings: { completionMinutes: 20 } })).rejects.toEqual(
      failure('invalid_input', 'settings.completionMinutes'),
    );
    await expect(copyOf(source, mark, { target: place('eu-north-1') })).rejects.toEqual(
      failure('invalid_input', 'eu-north-1'),
    );
    await expect(copyOf({ ...source, imageId: 'ami-0123456789abcdef0' }, freshMark(), {})).rejects.toEqual(
      failure('not_found', 'ami-0123456789abcdef0'),
    );
  });
});
