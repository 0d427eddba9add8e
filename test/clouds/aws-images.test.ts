/** The AWS test cloud against the AWS documentation: images. Each case names the page it holds the cloud to. */
import {
  CopyImageCommand,
  CreateImageCommand,
  CreateTagsCommand,
  DisableImageDeprecationCommand,
  DeregisterImageCommand,
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  DisableImageCommand,
  DisableImageDeregistrationProtectionCommand,
  EnableImageCommand,
  EnableImageDeprecationCommand,
  EnableImageDeregistrationProtectionCommand,
  EnableImageBlockPublicAccessCommand,
  DisableImageBlockPublicAccessCommand,
  GetImageBlockPublicAccessStateCommand,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
  RegisterImageCommand,
  RunInstancesCommand,
  type Image,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { awsOrganization, startAwsCloud, type AwsCloud } from '../support/clouds/aws.ts';

const home = 'us-east-1';
const away = 'us-west-2';

let cloud: AwsCloud;
let base: string;

beforeAll(async () => {
  cloud = await startAwsCloud();
});
afterAll(() => cloud.stop());
beforeEach(async () => {
  await cloud.reset();
  base = await cloud.baseImage(home);
});

const owner = (region = home) => cloud.ec2(cloud.accounts.owner, region);
const other = (region = home) => cloud.ec2(cloud.accounts.firstShare, region);

async function seen(imageId: string, by = owner(), more = {}): Promise<Image | undefined> {
  return (await by.send(new DescribeImagesCommand({ ImageIds: [imageId], ...more }))).Images?.[0];
}

const share = (userId: string, imageId = base) =>
  owner().send(
    new ModifyImageAttributeCommand({ ImageId: imageId, LaunchPermission: { Add: [{ UserId: userId }] } }),
  );
const launch = (by = owner(), imageId = base) =>
  by.send(new RunInstancesCommand({ ImageId: imageId, MinCount: 1, MaxCount: 1 }));
const code = (name: string) => expect.objectContaining({ name });

describe('making images', () => {
  it('is pending first and then available, root device ebs, with snapshots pending as long (API_CopyImage)', async () => {
    await cloud.setDelays({ image: 60_000 });
    const { ImageId: copy = '' } = await owner(away).send(
      new CopyImageCommand({ Name: 'copy', SourceImageId: base, SourceRegion: home }),
    );

    expect(await seen(copy, owner(away))).toMatchObject({ State: 'pending', RootDeviceType: 'ebs' });
    await cloud.elapse(60_000);
    const image = await seen(copy, owner(away));
    expect(image).toMatchObject({ State: 'available', SourceImageId: base, SourceImageRegion: home });
    const snapshots = image?.BlockDeviceMappings?.map((one) => one.Ebs?.SnapshotId ?? '') ?? [];
    expect(
      (await owner(away).send(new DescribeSnapshotsCommand({ SnapshotIds: snapshots }))).Snapshots,
    ).toMatchObject([{ State: 'completed' }]);
  });

  it('copies once for a client token, with tags and key (API_CopyImage, ec2-api-idempotency)', async () => {
    const input = {
      Name: 'copy',
      SourceImageId: base,
      SourceRegion: home,
      ClientToken: 'token-1',
      Encrypted: true,
      KmsKeyId: `arn:aws:kms:${away}:${cloud.accounts.owner}:key/one`,
      TagSpecifications: [
        { ResourceType: 'image' as const, Tags: [{ Key: 'a', Value: '1' }] },
        { ResourceType: 'snapshot' as const, Tags: [{ Key: 'b', Value: '2' }] },
      ],
    };
    const [one, two] = await Promise.all([1, 2].map(() => owner(away).send(new CopyImageCommand(input))));

    expect(two?.ImageId).toBe(one?.ImageId);
    expect(await seen(one?.ImageId ?? '', owner(away))).toMatchObject({
      Tags: [{ Key: 'a', Value: '1' }],
      BlockDeviceMappings: [{ Ebs: { Encrypted: true } }],
    });
    const { Snapshots: snapshots } = await owner(away).send(
      new DescribeSnapshotsCommand({ OwnerIds: ['self'] }),
    );
    expect(snapshots).toMatchObject([
      { Tags: [{ Key: 'b', Value: '2' }], Encrypted: true, KmsKeyId: input.KmsKeyId },
    ]);
    await expect(owner(away).send(new CopyImageCommand({ ...input, Name: 'another' }))).rejects.toEqual(
      code('IdempotentParameterMismatch'),
    );
  });

  it('refuses a name that is in use (errors-overview: InvalidAMIName.Duplicate)', async () => {
    const input = { Name: 'twice', RootDeviceName: '/dev/sda1' };
    await owner().send(new RegisterImageCommand(input));

    await expect(owner().send(new RegisterImageCommand(input))).rejects.toEqual(
      code('InvalidAMIName.Duplicate'),
    );
  });

  it('is made of an instance, with tags of image and snapshots (API_CreateImage)', async () => {
    const { Instances: made } = await launch();
    const { ImageId: imageId = '' } = await owner().send(
      new CreateImageCommand({
        InstanceId: made?.[0]?.InstanceId,
        Name: 'baked',
        TagSpecifications: [
          { ResourceType: 'image', Tags: [{ Key: 'bake', Value: 'b1' }] },
          { ResourceType: 'snapshot', Tags: [{ Key: 'bake', Value: 'b1' }] },
        ],
      }),
    );

    const { images, snapshots } = await cloud.everything(cloud.accounts.owner, home);
    expect(images.find((image) => image.id === imageId)?.tags).toEqual({ bake: 'b1' });
    expect(snapshots.map((snapshot) => snapshot.tags)).toEqual([{}, { bake: 'b1' }]);
  });

  it('is not found right after its creation, when asked to be so (query-api-troubleshooting: eventual consistency)', async () => {
    await cloud.setDelays({ visible: 60_000 });
    const { ImageId: copy = '' } = await owner(away).send(
      new CopyImageCommand({ Name: 'copy', SourceImageId: base, SourceRegion: home }),
    );

    await expect(seen(copy, owner(away))).rejects.toEqual(code('InvalidAMIID.NotFound'));
    await cloud.elapse(60_000);
    expect(await seen(copy, owner(away))).toBeDefined();
  });
});

describe('ending images', () => {
  it('deprecates to the minute, and hides it from the listings of others (ami-deprecate)', async () => {
    const soon = new Date(Date.now() + 3_600_000);
    await owner().send(new EnableImageDeprecationCommand({ ImageId: base, DeprecateAt: soon }));

    const at = (await seen(base))?.DeprecationTime ?? '';
    expect(at).toMatch(/:00\.000Z$/);
    expect(Math.abs(Date.parse(at) - soon.getTime())).toBeLessThanOrEqual(30_000);
    await share(cloud.accounts.firstShare);
    const listed = async (by = other(), more = {}) =>
      (await by.send(new DescribeImagesCommand({ Owners: [cloud.accounts.owner], ...more }))).Images?.length;
    expect(await listed()).toBe(1);
    await cloud.elapse(2 * 3_600_000);
    expect([
      await listed(),
      await listed(other(), { IncludeDeprecated: true }),
      await listed(owner()),
    ]).toEqual([0, 1, 1]);
    expect(await seen(base, other())).toBeDefined();
    await owner().send(new DisableImageDeprecationCommand({ ImageId: base }));
    expect(await listed()).toBe(1);
  });

  it('disables: no launch, no permissions, not seen by others; enabling brings no permission back (disable-an-ami)', async () => {
    await share(cloud.accounts.firstShare);
    await owner().send(new DisableImageCommand({ ImageId: base }));

    expect(await seen(base)).toBeUndefined();
    expect(await seen(base, owner(), { IncludeDisabled: true })).toMatchObject({ State: 'disabled' });
    await expect(launch()).rejects.toEqual(code('InvalidAMIID.Unavailable'));
    await expect(share(cloud.accounts.firstShare)).rejects.toEqual(code('InvalidAMIID.Unavailable'));
    await expect(seen(base, other())).rejects.toEqual(code('InvalidAMIID.NotFound'));
    await owner().send(new EnableImageCommand({ ImageId: base }));
    expect(await seen(base)).toMatchObject({ State: 'available' });
    await expect(launch(other())).rejects.toEqual(code('InvalidAMIID.NotFound'));
    await share(cloud.accounts.firstShare);
    expect((await launch(other())).Instances).toHaveLength(1);
  });

  it('deregisters with its snapshots, but not while protected (API_DeregisterImage, ami-deregistration-protection)', async () => {
    const deregister = () =>
      owner().send(new DeregisterImageCommand({ ImageId: base, DeleteAssociatedSnapshots: true }));
    await owner().send(new EnableImageDeregistrationProtectionCommand({ ImageId: base }));
    expect(await seen(base)).toMatchObject({ DeregistrationProtection: 'enabled-without-cooldown' });
    await expect(deregister()).rejects.toEqual(code('OperationNotPermitted'));
    await owner().send(new DisableImageDeregistrationProtectionCommand({ ImageId: base }));

    expect(await deregister()).toMatchObject({
      Return: true,
      DeleteSnapshotResults: [{ ReturnCode: 'success' }],
    });
    expect(await cloud.everything(cloud.accounts.owner, home)).toEqual({
      images: [],
      snapshots: [],
      instances: [],
      volumes: [],
      keyPairs: [],
      securityGroups: [],
      networkInterfaces: [],
      launchTemplates: [],
      spotRequests: [],
      parameters: [],
    });
    await expect(launch()).rejects.toEqual(code('InvalidAMIID.Unavailable'));
  });
});

describe('sharing images', () => {
  it('is seen and launched by those it is shared with, and changed by its owner alone (API_ModifyImageAttribute)', async () => {
    await expect(seen(base, other())).rejects.toEqual(code('InvalidAMIID.NotFound'));
    await share(cloud.accounts.firstShare);

    expect(await seen(base, other())).toMatchObject({ OwnerId: cloud.accounts.owner });
    expect((await launch(other())).Instances).toHaveLength(1);
    await expect(other().send(new DeregisterImageCommand({ ImageId: base }))).rejects.toEqual(
      code('AuthFailure'),
    );
    const { LastLaunchedTime: last } = await owner().send(
      new DescribeImageAttributeCommand({ ImageId: base, Attribute: 'lastLaunchedTime' }),
    );
    expect(Date.parse(last?.Value ?? '')).toBeGreaterThan(Date.now() - 60_000);
  });

  it('reaches the accounts of an organization or a unit (share-amis-with-organizations-and-OUs)', async () => {
    await owner().send(
      new ModifyImageAttributeCommand({
        ImageId: base,
        OperationType: 'add',
        OrganizationalUnitArns: [awsOrganization.unitArn],
      }),
    );

    expect(await seen(base, cloud.ec2(cloud.accounts.secondShare, home))).toBeDefined();
    await expect(seen(base, other())).rejects.toEqual(code('InvalidAMIID.NotFound'));
    const { LaunchPermissions: permissions } = await owner().send(
      new DescribeImageAttributeCommand({ ImageId: base, Attribute: 'launchPermission' }),
    );
    expect(permissions).toEqual([{ OrganizationalUnitArn: awsOrganization.unitArn }]);
  });

  it('keeps the tags of each account apart (Using_Tags)', async () => {
    await share(cloud.accounts.firstShare);
    await owner().send(new CreateTagsCommand({ Resources: [base], Tags: [{ Key: 'who', Value: 'owner' }] }));
    expect((await seen(base, other()))?.Tags ?? []).toEqual([]);
    await other().send(new CreateTagsCommand({ Resources: [base], Tags: [{ Key: 'who', Value: 'other' }] }));

    expect((await seen(base))?.Tags).toEqual([{ Key: 'who', Value: 'owner' }]);
    expect((await seen(base, other()))?.Tags).toEqual([{ Key: 'who', Value: 'other' }]);
  });

  it('is copied by another account only with its snapshots shared (CopyingAMIs)', async () => {
    await share(cloud.accounts.firstShare);
    const copy = () =>
      other(away).send(new CopyImageCommand({ Name: 'mine', SourceImageId: base, SourceRegion: home }));
    await expect(copy()).rejects.toEqual(code('InvalidRequest'));
    const snapshotId = (await seen(base))?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? '';
    await owner().send(
      new ModifySnapshotAttributeCommand({
        SnapshotId: snapshotId,
        Attribute: 'createVolumePermission',
        OperationType: 'add',
        UserIds: [cloud.accounts.firstShare],
      }),
    );

    expect((await copy()).ImageId).toMatch(/^ami-/);
  });

  it('is not made public while public access is blocked (block-public-access-to-amis)', async () => {
    const makePublic = () =>
      owner().send(
        new ModifyImageAttributeCommand({ ImageId: base, LaunchPermission: { Add: [{ Group: 'all' }] } }),
      );
    await expect(makePublic()).rejects.toEqual(code('OperationNotPermitted'));
    await owner().send(new DisableImageBlockPublicAccessCommand({}));
    await makePublic();
    expect(await seen(base, other())).toMatchObject({ Public: true });
    await owner().send(
      new EnableImageBlockPublicAccessCommand({ ImageBlockPublicAccessState: 'block-new-sharing' }),
    );

    expect(await owner().send(new GetImageBlockPublicAccessStateCommand({}))).toMatchObject({
      ImageBlockPublicAccessState: 'block-new-sharing',
    });
  });
});
