/** What only AWS has: shares in other accounts, protections, what an image's tags say where. */
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
import { describe, expect, it } from 'vitest';
import type { BakeMark } from '../../src/providers/provider.ts';
import { awsAccounts, awsOrganization } from '../support/clouds/aws.ts';
import { home, makeImage, place } from './aws-fixture.ts';
import { failure } from './provider-fixture.ts';
import { bakeIn, collectInput, context, ec2In, freshMark, tagsSeenBy, useAws } from './use-aws.ts';

const { owner, firstShare, secondShare } = awsAccounts;

describe('aws', { timeout: 60_000 }, () => {
  const aws = useAws();
  const ec2 = (region?: string, account?: string) => ec2In(aws(), region, account);
  const bake = (mark?: BakeMark) => bakeIn(aws(), mark);
  const seenBy = (account: string, imageId: string) => tagsSeenBy(aws(), account, imageId);

  describe('shares', () => {
    it('open the storage to accounts, reach organizations and units, and are replaced', async () => {
      const mark = freshMark();
      const image = await bake(mark);
      const all = [firstShare, awsOrganization.arn, awsOrganization.unitArn].toSorted();

      expect(await aws().provider.sharing!.write(image, all)).toEqual(all);
      const { Snapshots: [snapshot] = [] } = await ec2().send(
        new DescribeSnapshotsCommand({
          OwnerIds: ['self'],
          Filters: [{ Name: 'tag:bake_id', Values: [mark.bakeId] }],
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
      expect(await aws().provider.sharing!.write(image, [secondShare])).toEqual([secondShare]);
      expect(await permissions()).toEqual([{ UserId: secondShare }]);
      expect(await aws().provider.sharing!.write(image, [])).toEqual([]);
    });

    it('refuse the public and what is no account', async () => {
      const image = await bake();

      await expect(aws().provider.sharing!.write(image, ['all'])).rejects.toEqual(
        failure('invalid_input', 'public'),
      );
      await expect(aws().provider.sharing!.write(image, ['team-a'])).rejects.toEqual(
        failure('invalid_input', 'team-a'),
      );
      expect(await aws().provider.sharing!.read(image)).toEqual([]);
    });

    it('show tags to those that are configured, and name the others', async () => {
      const image = await bake();
      await aws().provider.sharing!.write(image, [firstShare, secondShare, awsOrganization.arn]);
      const tags = { bucket: 'base', version: 'v3' };
      const { tagged, notReached } = await aws().provider.sharing!.tag!(image, tags);

      expect(tagged).toEqual([firstShare]);
      expect(notReached.map(({ share }) => share).toSorted()).toEqual(
        [secondShare, awsOrganization.arn].toSorted(),
      );
      expect(await seenBy(firstShare, image.imageId)).toEqual(tags);
      expect(await seenBy(owner, image.imageId)).not.toHaveProperty('bucket');
    });

    it('are lost by disabling, and written again after enabling', async () => {
      const image = await bake();
      await aws().provider.sharing!.write(image, [firstShare]);
      await aws().provider.images.setLaunchable(image, false);

      expect(await aws().provider.sharing!.read(image)).toEqual([]);
      await aws().provider.images.setLaunchable(image, true);
      expect(await aws().provider.sharing!.write(image, [firstShare])).toEqual([firstShare]);
    });
  });

  describe('uses', () => {
    it('are found in the owner and in accounts it is shared with', async () => {
      const image = await bake();
      const ImageId = image.imageId;
      await aws().provider.sharing!.write(image, [firstShare]);
      const { Instances: [machine] = [] } = await ec2(home, firstShare).send(
        new RunInstancesCommand({ ImageId, MinCount: 1, MaxCount: 1 }),
      );
      const other = await aws().cloud.baseImage(home);
      const { LaunchTemplate: template } = await ec2().send(
        new CreateLaunchTemplateCommand({ LaunchTemplateName: 'web', LaunchTemplateData: { ImageId } }),
      );
      await ec2().send(
        new CreateLaunchTemplateVersionCommand({
          LaunchTemplateName: 'web',
          LaunchTemplateData: { ImageId: other },
        }),
      );
      const scaling = aws().cloud.autoScaling(owner, home);
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
      const report = await aws().provider.images.uses(image);

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
      await aws().provider.sharing!.write(image, [secondShare]);

      expect(await aws().provider.images.uses(image)).toMatchObject({
        complete: false,
        why: expect.stringContaining(secondShare),
        uses: [],
      });
    });
  });

  describe('deleting', () => {
    it('takes the snapshots', async () => {
      const image = await bake();
      await aws().provider.images.remove(image);
      const { images, snapshots } = await aws().cloud.everything(owner, home);

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

      await expect(aws().provider.images.remove(image)).rejects.toEqual(
        failure('illegal_state', image.imageId, '24 h'),
      );
    });

    it('refuses a finished image that somebody protects, and frees an unfinished one', async () => {
      const image = await bake();
      await ec2().send(new EnableImageDeregistrationProtectionCommand({ ImageId: image.imageId }));
      const mark = freshMark();
      const unfinished = await makeImage(aws().cloud, mark);
      await ec2().send(new EnableImageDeregistrationProtectionCommand({ ImageId: unfinished }));

      await expect(aws().provider.images.remove(image)).rejects.toEqual(
        failure('illegal_state', image.imageId, 'protected'),
      );
      for (const leftover of await aws().provider.cleanup.leftovers(mark.attemptId, [place()]))
        await aws().provider.cleanup.sweep(leftover);
      const { images } = await aws().cloud.everything(owner, home);
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
        .poll(() => aws().provider.images.inspect(registered))
        .toMatchObject({ presence: 'present' });
      // Shared storage is kept, so the first image goes without its snapshot.
      await aws().provider.images.remove(image);
      await aws().cloud.fault({ action: 'DeregisterImage', answer: 'server-error', times: 1 });
      await expect(aws().provider.images.remove(registered)).rejects.toEqual(failure('provider_unavailable'));
      // The image went, and AWS left its storage.
      await ec2().send(new DeregisterImageCommand({ ImageId }));
      await aws().provider.images.remove(registered);

      expect((await aws().cloud.everything(owner, home)).snapshots.map(({ id }) => id)).not.toContain(
        SnapshotId,
      );
    });

    it('does not sweep an image that was taken meanwhile', async () => {
      const mark = freshMark();
      const imageId = await makeImage(aws().cloud, mark);
      const [leftover] = await aws().provider.cleanup.leftovers(mark.attemptId, [place()]);
      await aws().provider.images.collect(collectInput(mark, { [home]: imageId }, [home]), context);

      expect(leftover).toMatchObject({ kind: 'image', id: imageId });
      await expect(aws().provider.cleanup.sweep(leftover!)).rejects.toEqual(failure('conflict', imageId));
    });
  });

  it('publishes a channel as a parameter that launch templates read', async () => {
    const image = await bake();
    await aws().provider.pointers!.write({ target: place(), bucket: 'base', channel: 'prod' }, image.imageId);
    const { Parameter } = await aws()
      .cloud.ssm(owner, home)
      .send(new GetParameterCommand({ Name: '/bakehouse/base/prod' }));

    expect(Parameter).toMatchObject({ Value: image.imageId, Type: 'String', DataType: 'aws:ec2:image' });
  });

  it("moves its own parameters, and leaves somebody else's as they are", async () => {
    const ssm = aws().cloud.ssm(owner, home);
    const pointer = { target: place(), bucket: 'base', channel: 'prod' };
    const [one, two] = [await bake(), await bake()];
    const { pointers } = aws().provider;
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
