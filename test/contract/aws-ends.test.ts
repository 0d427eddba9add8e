/** Taking an image out of use: what is closed, what is announced, and who is asked before it is deleted. */
import { CreateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import {
  CreateLaunchTemplateCommand,
  DescribeSnapshotAttributeCommand,
  DescribeSnapshotsCommand,
  DisableImageBlockPublicAccessCommand,
  ModifyImageAttributeCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { PutParameterCommand } from '@aws-sdk/client-ssm';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEnforcementActivities } from '../../src/activities/enforcement.ts';
import type { BakeMark, CollectedImage } from '../../src/providers/provider.ts';
import { awsAccounts, awsOrganization } from '../support/clouds/aws.ts';
import { registryOf } from '../support/lifecycle/registry.ts';
import { World } from '../support/lifecycle/world.ts';
import { bakedImage, home, place } from './aws-fixture.ts';
import { useAws } from './use-aws.ts';
import { failure } from './provider-fixture.ts';

const { owner, firstShare, secondShare } = awsAccounts;
const mark: BakeMark = { bakeId: 'bake-1', attemptId: 'attempt-1', imageName: 'image-1' };
const minuteMs = 60_000;

const many = (first: number) => Array.from({ length: 600 }, (_, index) => String(first + index));

describe('the end of an image in aws', { timeout: 60_000 }, () => {
  const aws = useAws();
  let image: CollectedImage;
  beforeEach(async () => {
    image = await bakedImage(aws(), mark);
  });

  const ec2 = (account: string = owner) => aws().cloud.ec2(account, home);
  const disable = async () => aws().provider.images.setLaunchable(image, false);
  const launchIn = async (account: string) => {
    const request = new RunInstancesCommand({ ImageId: image.imageId, MinCount: 1, MaxCount: 1 });
    const { Instances: [machine] = [] } = await ec2(account).send(request);
    return machine?.InstanceId ?? '';
  };
  const template = async (LaunchTemplateName: string, ImageId: string) =>
    ec2().send(new CreateLaunchTemplateCommand({ LaunchTemplateName, LaunchTemplateData: { ImageId } }));
  async function volumePermissions() {
    const Filters = [{ Name: 'tag:bake_id', Values: [mark.bakeId] }];
    const { Snapshots = [] } = await ec2().send(
      new DescribeSnapshotsCommand({ OwnerIds: ['self'], Filters }),
    );
    const Attribute = 'createVolumePermission';
    const request = new DescribeSnapshotAttributeCommand({ SnapshotId: Snapshots[0]?.SnapshotId, Attribute });
    return (await ec2().send(request)).CreateVolumePermissions ?? [];
  }

  /** The version of the image was revoked so long ago. `deleteAfterMs`: what its line says. */
  function revoked(agoMs: number, deleteAfterMs?: number) {
    let now = Date.now() - agoMs;
    const world = new World({
      versions: [{ id: 'v1', bucket: 'base', name: 'v1', targets: [] }],
      now: () => now,
      ...(deleteAfterMs === undefined ? {} : { deleteAfterMs }),
    });
    world.artifacts.push({
      artifactId: 'a1',
      versionId: 'v1',
      image,
      lastKnown: 'present',
      recordedShares: null,
    });
    const by = { name: 'ann', via: 'api' } as const;
    world.revoke({ versionId: 'v1', reason: 'a hole', rollBack: false, descendants: false, by });
    now = Date.now();
    const activities = createEnforcementActivities({
      registry: registryOf(world),
      providers: { get: () => aws().provider },
    });
    let acts = 0;
    const act = () => {
      acts += 1;
      return { versionId: 'v1', artifactId: 'a1', receiptId: `receipt-${acts}` };
    };
    return { world, activities, act };
  }

  describe('who uses it', () => {
    it('is asked in accounts it was shared with, also once it is shared with nobody', async () => {
      await aws().provider.sharing!.write(image, [firstShare, secondShare]);
      const machine = await launchIn(firstShare);
      const { activities, act, world } = revoked(minuteMs, 0);
      await activities.recordShares(act());
      await activities.blockImage(act());
      expect(await aws().provider.sharing!.read(image)).toEqual([]);

      expect(await aws().provider.images.uses(image)).toMatchObject({
        uses: [{ kind: 'instance', id: machine, target: place(home, firstShare) }],
      });
      // The second one is no account of this installation.
      expect(await activities.deleteImage(act())).toEqual({
        outcome: 'refused',
        why: expect.stringContaining(secondShare),
      });
      world.artifacts[0]!.recordedShares = [firstShare];
      expect(await activities.deleteImage(act())).toEqual({
        outcome: 'refused',
        why: expect.stringContaining(machine),
      });
      expect(await aws().provider.images.inspect(image)).toMatchObject({ presence: 'disabled' });
    });

    it('is told with when it was last launched, refused or deleted', async () => {
      const machine = await launchIn(owner);
      const { activities, act, world } = revoked(minuteMs, 0);
      await activities.recordShares(act());
      await activities.blockImage(act());

      expect(await activities.deleteImage(act())).toEqual({
        outcome: 'refused',
        why: expect.stringMatching(new RegExp(`^in use by instance ${machine}; last launched 20`)),
      });
      await ec2().send(new TerminateInstancesCommand({ InstanceIds: [machine] }));
      expect(await activities.deleteImage(act())).toEqual({ outcome: 'done' });
      expect([...world.receipts.values()].at(-1)).toMatchObject({
        action: 'delete',
        detail: expect.stringMatching(/^deleted; nothing used it; last launched 20\S+Z: a hole$/),
      });
    });

    it('is not known of an organization', async () => {
      await disable();

      expect(await aws().provider.images.uses(image, [awsOrganization.arn])).toMatchObject({
        complete: false,
        why: expect.stringContaining(awsOrganization.arn),
      });
    });

    it('is told of groups that launch it in place of the image of their template', async () => {
      const other = await aws().cloud.baseImage(home);
      const { LaunchTemplate: web } = await template('web', other);
      const Name = '/elsewhere/image';
      await aws()
        .cloud.ssm(owner, home)
        .send(new PutParameterCommand({ Name, Value: image.imageId, Type: 'String' }));
      const scaling = aws().cloud.autoScaling(owner, home);
      const group = async (AutoScalingGroupName: string, ImageId: string) =>
        scaling.send(
          new CreateAutoScalingGroupCommand({
            AutoScalingGroupName,
            MinSize: 0,
            MaxSize: 1,
            AvailabilityZones: [`${home}a`],
            MixedInstancesPolicy: {
              LaunchTemplate: {
                LaunchTemplateSpecification: { LaunchTemplateId: web?.LaunchTemplateId },
                Overrides: [{ InstanceType: 't3.small' }, { InstanceType: 't3.micro', ImageId }],
              },
            },
          }),
        );
      await group('by-id', image.imageId);
      await group('by-parameter', `resolve:ssm:${Name}`);
      await group('of-another', other);
      const kind = 'auto scaling group';
      const byId = { kind, id: 'by-id', target: place() };

      const seen = await aws().provider.images.uses(image);
      expect(seen.complete).toBe(true);
      expect(seen.uses.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
        byId,
        { kind, id: 'by-parameter', target: place() },
      ]);
      await aws().cloud.fault({ action: 'GetParameter', answer: 'access-denied' });
      expect(await aws().provider.images.uses(image)).toMatchObject({
        complete: false,
        why: expect.stringContaining('auto scaling group by-parameter'),
        uses: [byId],
      });
    });

    it('is not known where a template cannot be read, and all others are told', async () => {
      const { LaunchTemplate: closed } = await template('closed', 'resolve:ssm:/elsewhere/image');
      await template('open', image.imageId);
      await aws().cloud.fault({ action: 'GetParameter', answer: 'access-denied' });

      expect(await aws().provider.images.uses(image)).toMatchObject({
        complete: false,
        why: expect.stringContaining(closed?.LaunchTemplateId ?? 'none'),
        uses: [{ kind: 'launch template' }],
      });
    });
  });

  it('closes its storage with it, and opens it again with the shares', async () => {
    await aws().provider.sharing!.write(image, [firstShare]);
    expect(await volumePermissions()).toEqual([{ UserId: firstShare }]);
    // Died after the image, before its storage.
    await aws().cloud.fault({ action: 'ModifySnapshotAttribute', answer: 'server-error', times: 1 });
    await expect(disable()).rejects.toEqual(failure('provider_unavailable'));
    await disable();
    expect(await volumePermissions()).toEqual([]);

    await aws().provider.images.setLaunchable(image, true);
    await aws().provider.sharing!.write(image, [firstShare]);
    expect(await volumePermissions()).toEqual([{ UserId: firstShare }]);
  });

  it('gives the shares back without the public, and the receipt says so', async () => {
    await aws().provider.sharing!.write(image, [firstShare]);
    await ec2().send(new DisableImageBlockPublicAccessCommand());
    await ec2().send(
      new ModifyImageAttributeCommand({
        ImageId: image.imageId,
        LaunchPermission: { Add: [{ Group: 'all' }] },
      }),
    );
    const { activities, act, world } = revoked(minuteMs);
    await activities.recordShares(act());
    await activities.blockImage(act());
    world.records.lift(world.records.all[0]?.id ?? '');
    await activities.enableImage(act());
    await activities.putSharesBack(act());

    expect(await aws().provider.sharing!.read(image)).toEqual([firstShare]);
    expect([...world.receipts.values()].at(-1)).toMatchObject({
      action: 'share',
      detail: expect.stringMatching(new RegExp(`^shared with ${firstShare}; not with all`)),
    });
  });

  describe('is announced', () => {
    it('by the next whole minute that EC2 takes, when it has passed', async () => {
      const before = Date.now();
      const { deprecatedAt = '' } = await aws().provider.deprecate!(image, '2020-01-02T03:04:05.000Z');
      const at = Date.parse(deprecatedAt);

      expect(at % minuteMs).toBe(0);
      expect(at).toBeGreaterThanOrEqual(before + minuteMs);
      expect(at).toBeLessThanOrEqual(Date.now() + 2 * minuteMs);
    });

    it('once', async () => {
      const { activities, act } = revoked(60 * minuteMs);
      await activities.blockImage(act());
      for (let times = 0; times < 3; times += 1)
        expect(await activities.announceEnd(act())).toEqual({ outcome: 'done' });

      const asked = (await aws().cloud.calls()).filter(({ action }) => action === 'EnableImageDeprecation');
      expect(asked).toHaveLength(1);
    });
  });

  it('is shared with more accounts than one call takes, and all of them are replaced', async () => {
    const [before, after] = [many(100_000_000_000), many(100_000_000_300)];

    expect(await aws().provider.sharing!.write(image, before)).toEqual(before);
    expect(await aws().provider.sharing!.write(image, after)).toEqual(after);
    expect(new Set((await volumePermissions()).map(({ UserId }) => UserId))).toEqual(new Set(after));
  });

  it('tells shares the tags of the template, not ours and not those of AWS', async () => {
    await aws().provider.sharing!.write(image, [firstShare]);
    const tags = {
      'aws:createdBy': 'x',
      bake_id: 'b',
      attempt_id: 'a',
      bakehouse_complete: 'true',
      app: 'web',
    };

    expect(await aws().provider.sharing!.tag!(image, tags)).toMatchObject({ tagged: [firstShare] });
    const { tags: seen } = await aws().provider.images.inspect({
      ...image,
      target: place(home, firstShare),
    });
    expect(seen).toEqual({ app: 'web' });
  });
});
