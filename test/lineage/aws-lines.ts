/** Three layers in AWS, each baked by real Packer on the one below: in one region, copied to the other, shared with two accounts. */
import { type ImageLine, openGates } from '../../src/domain/image-line.ts';
import { templateDigest } from '../../src/domain/template-digest.ts';
import { amazonTemplate } from '../support/clouds/amazon-template.ts';
import { awsAccounts } from '../support/clouds/aws.ts';
import { awsAway, awsHome } from '../support/clouds/file.ts';
import type { AwsInstallation } from './aws-installation.ts';

export const sharedWith = [awsAccounts.firstShare, awsAccounts.secondShare] as const;

const template = amazonTemplate('layer', '{ parent = var.source_image }');

/** `base` is baked on the vendor's image, the others on what `prod` of the layer below shows. */
export async function applyLayers(
  { client, cloud }: Pick<AwsInstallation, 'client' | 'cloud'>,
  deleteAfterMs: number,
): Promise<void> {
  const name = 'layer.pkr.hcl';
  const digest = await templateDigest({ [name]: new TextEncoder().encode(template) });
  const files = { [name]: Buffer.from(template).toString('base64') };
  await client.putTemplate({ project: 'default', digest, files });
  const place = { provider: 'aws', account: awsAccounts.owner, shareWith: sharedWith };
  const layer = (bucket: string, parent: string | undefined, vendorImage: string): ImageLine => ({
    bucket,
    description: '',
    template: { kind: 'folder', path: 'aws', entry: name, digest },
    sources: [],
    variables: {
      endpoint: cloud.endpoint,
      ...(parent === undefined ? { source_image: vendorImage } : {}),
    },
    parents: parent === undefined ? [] : [{ bucket: parent, channel: 'prod', variable: 'source_image' }],
    targets: [
      { ...place, region: awsHome, launch: { instanceType: 't3.small' } },
      { ...place, region: awsAway, launch: {}, copy: true },
    ],
    tests: [{ name: 'a shell', kind: 'command', command: 'echo hello', timeoutMs: 20_000 }],
    channels: [{ name: 'prod', gates: { ...openGates, tested: true, verified: true } }],
    timeLimitMs: 300_000,
    endOfLifeCascades: false,
    deleteAfterMs,
  });
  const vendorImage = await cloud.baseImage(awsHome);
  const lines = [
    layer('base', undefined, vendorImage),
    layer('hardened', 'base', vendorImage),
    layer('app', 'hardened', vendorImage),
  ];
  await client.applyLines({ project: 'default', lines });
}
