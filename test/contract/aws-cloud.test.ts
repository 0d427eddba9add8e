/** What only AWS has: copies, shares in other accounts, protections, what an image's tags say where. */
import {
  DescribeImagesCommand,
  DescribeSnapshotAttributeCommand,
  DeregisterImageCommand,
  RegisterImageCommand,
  DescribeSnapshotsCommand,
  EnableImageDeregistrationProtectionCommand,
  RunInstancesCommand,
  CreateLaunchTemplateCommand,
  CreateLaunchTemplateVersionCommand,
} from '@aws-sdk/client-ec2';
import {
  CreateAutoScalingGroupCommand,
  CreateLaunchConfigurationCommand,
} from '@aws-sdk/client-auto-scaling';
import { GetParameterCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type {
  BakeMark,
  CallContext,
  CollectedImage,
  CollectInput,
  CopyInput,
} from '../../src/providers/provider.ts';
import { awsAccounts, awsOrganization } from '../support/clouds/aws.ts';
import {
  artifactOf,
  away,
  home,
  makeImage,
  openAws,
  openProvider,
  place,
  type AwsFixture,
} from './aws-fixture.ts';
import { failure } from './provider-fixture.ts';

const { owner, firstShare, secondShare } = awsAccounts;
const context: CallContext = { signal: AbortSignal.timeout(300_000), beat: () => undefined };

let number = 0;
const freshMark = (): BakeMark => {
  number += 1;
  return { bakeId: `bake-${number}`, attemptId: `attempt-${number}`, imageName: `image-${number}` };
};
const collectInput = (
  mark: BakeMark,
  images: Record<string, string>,
  regions: readonly string[],
): CollectInput => ({
  mark,
  artifact: artifactOf(images),
  targets: regions.map((region) => place(region)),
  stillCurrent: () => Promise.resolve(true),
});

const copyInput = (source: CollectedImage, mark: BakeMark, more: Partial<CopyInput> = {}): CopyInput => ({
  copyId: `copy-${mark.bakeId}`,
  runId: 'run-1',
  mark,
  source,
  target: place(away),
  settings: {},
  ...more,
});

describe('aws', { timeout: 60_000 }, () => {
  let fixture: AwsFixture;
  beforeAll(async () => {
    fixture = await openAws();
  });
  afterAll(() => fixture.dispose());
  beforeEach(async () => {
    await fixture.cloud.reset();
    // Sessions end with it.
    fixture = { ...fixture, ...openProvider(fixture.cloud) };
  });

  const ec2 = (region = home, account: string = owner) => fixture.cloud.ec2(account, region);
  async function bake(mark = freshMark()): Promise<CollectedImage> {
    const images = { [home]: await makeImage(fixture.cloud, mark) };
    const [image] = await fixture.provider.images.collect(collectInput(mark, images, [home]), context);
    return image!;
  }
  const copyOf = async (of: CollectedImage, by: BakeMark, more: Partial<CopyInput>) =>
    fixture.provider.distribution!.copy(copyInput(of, by, more), context);
  const seenBy = async (account: string, imageId: string) => {
    const request = new DescribeImagesCommand({ ImageIds: [imageId], IncludeDisabled: true });
    const { Images = [] } = await ec2(home, account).send(request);
    return Object.fromEntries((Images[0]?.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
  };

  describe('collecting', () => {
    it('takes the image of each region, and waits until they are available', async () => {
      const mark = freshMark();
      const images = {
        [home]: await makeImage(fixture.cloud, mark),
        [away]: await makeImage(fixture.cloud, mark, away),
      };
      const collected = await fixture.provider.images.collect(
        collectInput(mark, images, [home, away]),
        context,
      );

      expect(collected.map(({ target, imageId }) => [target.region, imageId])).toEqual(
        Object.entries(images),
      );
      for (const image of collected)
        expect(await fixture.provider.images.inspect(image)).toMatchObject({ presence: 'present' });
      expect(await fixture.provider.images.findFinished(mark, [place(), place(away)])).toHaveLength(2);
    });

    it('says which region the template lacks, and whose an image is', async () => {
      const mark = freshMark();
      const imageId = await makeImage(fixture.cloud, mark);
      const collect = async (input: CollectInput) => fixture.provider.images.collect(input, context);

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
      const image = await bake();
      const { Snapshots = [] } = await ec2().send(
        new DescribeSnapshotsCommand({
          OwnerIds: ['self'],
          Filters: [{ Name: 'tag:bake_id', Values: [`bake-${number}`] }],
        }),
      );

      expect(Snapshots).toHaveLength(1);
      expect(await seenBy(owner, image.imageId)).toMatchObject({
        bake_id: `bake-${number}`,
        image_name: `image-${number}`,
        source: 'amazon-ebs.base',
      });
    });
  });

  describe('copies', () => {
    it('are made once, whoever asks how often, and are finished images with the marks', async () => {
      const mark = freshMark();
      const source = await bake(mark);
      const copy = () => fixture.provider.distribution!.copy(copyInput(source, mark), context);
      const [one, two] = await Promise.all([copy(), copy()]);

      expect(two).toEqual(one);
      expect(await copy()).toEqual(one);
      expect((await fixture.cloud.everything(owner, away)).images).toHaveLength(1);
      expect((await fixture.provider.images.inspect(one)).tags).toMatchObject({
        bake_id: mark.bakeId,
        copy_id: `copy-${mark.bakeId}`,
        source: 'amazon-ebs.base',
      });
      expect(await fixture.provider.images.findFinished(mark, [place(away)])).toMatchObject([one]);
      expect(await fixture.provider.cleanup.leftovers(`copy-${mark.bakeId}`, [place(away)])).toEqual([]);
    });

    it('go on from the handle of an earlier try, without another request', async () => {
      const mark = freshMark();
      const source = await bake(mark);
      await fixture.cloud.setDelays({ image: 100_000 });
      const stop = new AbortController();
      const beats: unknown[] = [];
      const first = fixture.provider.distribution!.copy(copyInput(source, mark), {
        signal: stop.signal,
        beat: (progress) => {
          beats.push(progress);
          if (beats.length > 2) stop.abort(new Error('stop'));
        },
      });
      await expect(first).rejects.toThrow('stop');
      const leftovers = (of: string) => fixture.provider.cleanup.leftovers(of, [place(away)]);
      expect(await leftovers(`copy-${mark.bakeId}`)).toMatchObject([{ kind: 'image' }]);
      // Whoever tidies up after the bake does not end it.
      expect([await leftovers(mark.bakeId), await leftovers(mark.attemptId)]).toEqual([[], []]);
      await fixture.cloud.elapse(100_000);
      const copied = await fixture.provider.distribution!.copy(copyInput(source, mark), {
        ...context,
        lastBeat: beats.at(-1),
      });

      expect(beats.at(-1)).toMatchObject({ imageId: copied.imageId });
      expect((await fixture.cloud.calls()).filter(({ action }) => action === 'CopyImage')).toHaveLength(1);
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

  describe('shares', () => {
    it('open the storage to accounts, reach organizations and units, and are replaced', async () => {
      const image = await bake();
      const all = [firstShare, awsOrganization.arn, awsOrganization.unitArn].toSorted();

      expect(await fixture.provider.sharing!.write(image, all)).toEqual(all);
      const { Snapshots: [snapshot] = [] } = await ec2().send(
        new DescribeSnapshotsCommand({
          OwnerIds: ['self'],
          Filters: [{ Name: 'tag:bake_id', Values: [`bake-${number}`] }],
        }),
      );
      const permissions = async () =>
        (
          await ec2().send(
            new DescribeSnapshotAttributeCommand({
              SnapshotId: snapshot?.SnapshotId,
              Attribute: 'createVolumePermission',
            }),
          )
        ).CreateVolumePermissions;
      expect(await permissions()).toEqual([{ UserId: firstShare }]);
      expect(await fixture.provider.sharing!.write(image, [secondShare])).toEqual([secondShare]);
      expect(await permissions()).toEqual([{ UserId: secondShare }]);
      expect(await fixture.provider.sharing!.write(image, [])).toEqual([]);
    });

    it('refuse the public and what is no account', async () => {
      const image = await bake();

      await expect(fixture.provider.sharing!.write(image, ['all'])).rejects.toEqual(
        failure('invalid_input', 'public'),
      );
      await expect(fixture.provider.sharing!.write(image, ['team-a'])).rejects.toEqual(
        failure('invalid_input', 'team-a'),
      );
      expect(await fixture.provider.sharing!.read(image)).toEqual([]);
    });

    it('show tags to those that are configured, and name the others', async () => {
      const image = await bake();
      await fixture.provider.sharing!.write(image, [firstShare, secondShare, awsOrganization.arn]);
      const tags = { bucket: 'base', version: 'v3' };
      const { tagged, notReached } = await fixture.provider.sharing!.tag!(image, tags);

      expect(tagged).toEqual([firstShare]);
      expect(notReached.map(({ share }) => share).toSorted()).toEqual(
        [secondShare, awsOrganization.arn].toSorted(),
      );
      expect(await seenBy(firstShare, image.imageId)).toEqual(tags);
      expect(await seenBy(owner, image.imageId)).not.toHaveProperty('bucket');
    });

    it('are lost by disabling, and written again after enabling', async () => {
      const image = await bake();
      await fixture.provider.sharing!.write(image, [firstShare]);
      await fixture.provider.images.setLaunchable(image, false);

      expect(await fixture.provider.sharing!.read(image)).toEqual([]);
      await fixture.provider.images.setLaunchable(image, true);
      expect(await fixture.provider.sharing!.write(image, [firstShare])).toEqual([firstShare]);
    });
  });

  describe('uses', () => {
    it('are found in the owner and in accounts it is shared with', async () => {
      const image = await bake();
      const ImageId = image.imageId;
      await fixture.provider.sharing!.write(image, [firstShare]);
      const { Instances: [machine] = [] } = await ec2(home, firstShare).send(
        new RunInstancesCommand({ ImageId, MinCount: 1, MaxCount: 1 }),
      );
      const other = await fixture.cloud.baseImage(home);
      const { LaunchTemplate: template } = await ec2().send(
        new CreateLaunchTemplateCommand({ LaunchTemplateName: 'web', LaunchTemplateData: { ImageId } }),
      );
      await ec2().send(
        new CreateLaunchTemplateVersionCommand({
          LaunchTemplateName: 'web',
          LaunchTemplateData: { ImageId: other },
        }),
      );
      const scaling = fixture.cloud.autoScaling(owner, home);
      await scaling.send(
        new CreateLaunchConfigurationCommand({
          LaunchConfigurationName: 'old',
          ImageId,
          InstanceType: 't3.micro',
        }),
      );
      await scaling.send(
        new CreateAutoScalingGroupCommand({
          AutoScalingGroupName: 'fleet',
          LaunchConfigurationName: 'old',
          MinSize: 0,
          MaxSize: 1,
          AvailabilityZones: [`${home}a`],
        }),
      );
      const report = await fixture.provider.images.uses(image);

      expect(report).toMatchObject({ complete: true, lastLaunchedAt: expect.any(String) });
      expect(report.uses).toEqual(
        expect.arrayContaining([
          { kind: 'instance', id: machine?.InstanceId, target: place(home, firstShare) },
          {
            kind: 'launch template',
            id: expect.stringContaining(template?.LaunchTemplateId ?? 'none'),
            target: place(),
          },
          { kind: 'launch configuration', id: 'old', target: place() },
          { kind: 'auto scaling group', id: 'fleet', target: place() },
        ]),
      );
      expect(report.uses).toHaveLength(4);
    });

    it('are not proved where an account cannot be looked into', async () => {
      const image = await bake();
      await fixture.provider.sharing!.write(image, [secondShare]);

      expect(await fixture.provider.images.uses(image)).toMatchObject({
        complete: false,
        why: expect.stringContaining(secondShare),
        uses: [],
      });
    });
  });

  describe('deleting', () => {
    it('takes the snapshots', async () => {
      const image = await bake();
      await fixture.provider.images.remove(image);
      const { images, snapshots } = await fixture.cloud.everything(owner, home);

      expect({
        images: images.filter(({ name }) => name.startsWith('image-')),
        snapshots: snapshots.filter(({ tags }) => 'bake_id' in tags),
      }).toEqual({ images: [], snapshots: [] });
    });

    it('waits out the cooldown of a protection in words', async () => {
      const image = await bake();
      await ec2().send(
        new EnableImageDeregistrationProtectionCommand({ ImageId: image.imageId, WithCooldown: true }),
      );

      await expect(fixture.provider.images.remove(image)).rejects.toEqual(
        failure('illegal_state', image.imageId, '24 h'),
      );
    });

    it('refuses a finished image that somebody protects, and frees an unfinished one', async () => {
      const image = await bake();
      await ec2().send(new EnableImageDeregistrationProtectionCommand({ ImageId: image.imageId }));
      const mark = freshMark();
      const unfinished = await makeImage(fixture.cloud, mark);
      await ec2().send(new EnableImageDeregistrationProtectionCommand({ ImageId: unfinished }));

      await expect(fixture.provider.images.remove(image)).rejects.toEqual(
        failure('illegal_state', image.imageId, 'protected'),
      );
      for (const leftover of await fixture.provider.cleanup.leftovers(mark.attemptId, [place()]))
        await fixture.provider.cleanup.sweep(leftover);
      const { images } = await fixture.cloud.everything(owner, home);
      expect(images.map(({ id }) => id)).toContain(image.imageId);
      expect(images.map(({ id }) => id)).not.toContain(unfinished);
    });

    it('finds the storage of a registered image again after it died in between', async () => {
      const image = await bake();
      const { Images: [seen] = [] } = await ec2().send(
        new DescribeImagesCommand({ ImageIds: [image.imageId] }),
      );
      const SnapshotId = seen?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId;
      const { ImageId = '' } = await ec2().send(
        new RegisterImageCommand({
          Name: 'registered',
          RootDeviceName: '/dev/sda1',
          BlockDeviceMappings: [{ DeviceName: '/dev/sda1', Ebs: { SnapshotId } }],
        }),
      );
      const registered = { target: place(), imageId: ImageId };
      await expect
        .poll(() => fixture.provider.images.inspect(registered))
        .toMatchObject({ presence: 'present' });
      // Shared storage is kept, so the first image goes without its snapshot.
      await fixture.provider.images.remove(image);
      await fixture.cloud.fault({ action: 'DeregisterImage', answer: 'server-error', times: 1 });
      await expect(fixture.provider.images.remove(registered)).rejects.toEqual(
        failure('provider_unavailable'),
      );
      // The image went, and AWS left its storage.
      await ec2().send(new DeregisterImageCommand({ ImageId }));
      await fixture.provider.images.remove(registered);

      expect((await fixture.cloud.everything(owner, home)).snapshots.map(({ id }) => id)).not.toContain(
        SnapshotId,
      );
    });

    it('does not sweep an image that was taken meanwhile', async () => {
      const mark = freshMark();
      const imageId = await makeImage(fixture.cloud, mark);
      const [leftover] = await fixture.provider.cleanup.leftovers(mark.attemptId, [place()]);
      await fixture.provider.images.collect(collectInput(mark, { [home]: imageId }, [home]), context);

      expect(leftover).toMatchObject({ kind: 'image', id: imageId });
      await expect(fixture.provider.cleanup.sweep(leftover!)).rejects.toEqual(failure('conflict', imageId));
    });
  });

  it('publishes a channel as a parameter that launch templates read', async () => {
    const image = await bake();
    await fixture.provider.pointers!.write(
      { target: place(), bucket: 'base', channel: 'prod' },
      image.imageId,
    );
    const { Parameter } = await fixture.cloud
      .ssm(owner, home)
      .send(new GetParameterCommand({ Name: '/bakehouse/base/prod' }));

    expect(Parameter).toMatchObject({ Value: image.imageId, Type: 'String', DataType: 'aws:ec2:image' });
  });

  it("moves its own parameters, and leaves somebody else's as they are", async () => {
    const ssm = fixture.cloud.ssm(owner, home);
    const pointer = { target: place(), bucket: 'base', channel: 'prod' };
    const [one, two] = [await bake(), await bake()];
    const { pointers } = fixture.provider;
    await pointers!.write(pointer, one.imageId);
    expect(await pointers!.write(pointer, two.imageId)).toBe(two.imageId);
    const theirs = { Name: '/bakehouse/base/theirs', Value: 'by hand', Type: 'String' } as const;
    await ssm.send(new PutParameterCommand(theirs));

    for (const wanted of [one.imageId, undefined])
      await expect(pointers!.write({ ...pointer, channel: 'theirs' }, wanted)).rejects.toEqual(
        failure('already_exists', theirs.Name, 'parameterPrefix'),
      );
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: theirs.Name }));
    expect(Parameter?.Value).toBe('by hand');
  });
});
