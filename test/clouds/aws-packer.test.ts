/** Real Packer against the AWS test cloud: layers baked one on the other, in two regions, shared, and nothing else left. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeSnapshotAttributeCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadTools } from '../../src/config/tools.ts';
import { startAwsCloud, type AwsCloud } from '../support/clouds/aws.ts';

const template = `
variable "endpoint" {}
variable "parent" {}
variable "name" {}
variable "share" {}
source "amazon-ebs" "layer" {
  custom_endpoint_ec2         = var.endpoint
  skip_credential_validation  = true
  region                      = "us-east-1"
  source_ami                  = var.parent
  instance_type               = "t3.small"
  communicator                = "none"
  ami_name                    = var.name
  ami_regions                 = ["us-west-2"]
  ami_users                   = [var.share]
  snapshot_users              = [var.share]
  run_tags                    = { bake = var.name }
  run_volume_tags             = { bake = var.name }
  tags                        = { bake = var.name }
  snapshot_tags               = { bake = var.name }
  aws_polling {
    delay_seconds = 1
    max_attempts  = 60
  }
}
build {
  sources = ["source.amazon-ebs.layer"]
  post-processor "manifest" {
    output = "\${var.name}.json"
  }
}
`;

let cloud: AwsCloud;
let folder: string;
beforeAll(async () => {
  cloud = await startAwsCloud();
  folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-aws-packer-'));
  writeFileSync(path.join(folder, 'layer.pkr.hcl'), template);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await cloud.stop();
});

/** Answers region → image id. */
async function bake(name: string, parent: string): Promise<Map<string, string>> {
  const packer = loadTools().packers.find((one) => one.builders?.includes('amazon-ebs'));
  if (packer === undefined) throw new Error('no Packer with the amazon-ebs builder: run `npm run setup`');
  const variables = { endpoint: cloud.endpoint, parent, name, share: cloud.accounts.firstShare };
  const given = Object.entries(variables).map(([key, value]) => `-var=${key}=${value}`);
  // Packer says on its standard output why it failed.
  await promisify(execFile)(packer.path, ['build', '-color=false', ...given, 'layer.pkr.hcl'], {
    cwd: folder,
    env: { ...cloud.environment, PATH: process.env['PATH'], HOME: folder, CHECKPOINT_DISABLE: '1' },
  }).catch((error: Error & { readonly stdout?: string }) => {
    throw new Error(error.stdout?.slice(-2_000), { cause: error });
  });
  const manifest: { readonly builds: readonly { readonly artifact_id: string }[] } = JSON.parse(
    readFileSync(path.join(folder, `${name}.json`), 'utf8'),
  );
  return new Map(
    manifest.builds[0]?.artifact_id.split(',').map((one) => {
      const [region = '', id = ''] = one.split(':');
      return [region, id] as const;
    }),
  );
}

it(
  'bakes two layers in two regions, shares both with their snapshots, and leaves nothing else',
  { timeout: 120_000 },
  async () => {
    const { owner, firstShare } = cloud.accounts;
    const base = await cloud.baseImage('us-east-1');
    const hardened = await bake('hardened', base);
    const app = await bake('app', hardened.get('us-east-1') ?? '');

    expect([...app.keys()].toSorted()).toEqual(['us-east-1', 'us-west-2']);
    for (const [region, imageId] of app) {
      const seen = { ImageIds: [imageId] };
      const { Images: images } = await cloud.ec2(firstShare, region).send(new DescribeImagesCommand(seen));
      expect(images).toMatchObject([{ State: 'available', RootDeviceType: 'ebs', OwnerId: owner }]);
      const ec2 = cloud.ec2(owner, region);
      expect(
        await ec2.send(
          new DescribeImageAttributeCommand({ ImageId: imageId, Attribute: 'launchPermission' }),
        ),
      ).toMatchObject({ LaunchPermissions: [{ UserId: firstShare }] });
      const snapshot = images?.[0]?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? '';
      expect(
        await ec2.send(
          new DescribeSnapshotAttributeCommand({ SnapshotId: snapshot, Attribute: 'createVolumePermission' }),
        ),
      ).toMatchObject({ CreateVolumePermissions: [{ UserId: firstShare }] });

      const left = await cloud.everything(owner, region);
      expect(left.images.map((image) => image.name).filter((name) => name !== 'base')).toEqual([
        'hardened',
        'app',
      ]);
      expect(left.images.find((image) => image.id === imageId)?.tags).toMatchObject({ bake: 'app' });
      const { instances, volumes, keyPairs, securityGroups } = left;
      expect({ instances, volumes, keyPairs, securityGroups }).toEqual({
        instances: [],
        volumes: [],
        keyPairs: [],
        securityGroups: [],
      });
    }
  },
);
