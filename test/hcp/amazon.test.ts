/** Stock Packer with Amazon's plugin: what it baked is published, with the SBOM that it found in the guest. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { amazonPluginFolder } from '../../scripts/setup/packer-plugins.ts';
import type { AwsCloud } from '../support/clouds/aws.ts';
import { startAwsCloud } from '../support/clouds/aws.ts';
import { awsHome } from '../support/clouds/file.ts';
import { useDatabase } from '../support/database.ts';
import { build, hasPacker, templateIn } from './support/packer.ts';
import type { StockServer } from './support/server.ts';
import { startStockServer } from './support/server.ts';

const hasAmazon = hasPacker && existsSync(amazonPluginFolder());
const database = useDatabase();
let server: StockServer;
let cloud: AwsCloud;
let base: string;

beforeAll(async () => {
  server = await startStockServer(database().url);
  cloud = await startAwsCloud();
  base = await cloud.baseImage(awsHome);
});
afterAll(async () => {
  await cloud.stop();
  await server.stop();
});

const components = JSON.stringify({
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  components: [
    { type: 'library', name: 'busybox', version: '1.35.0', purl: 'pkg:deb/debian/busybox@1.35.0' },
  ],
});

const template = (sourceImage: string): string => `
hcp_packer_registry {
  bucket_name = "amazon"
}
source "amazon-ebs" "linux" {
  custom_endpoint_ec2        = "${cloud.endpoint}"
  skip_credential_validation = true
  region                     = "${awsHome}"
  source_ami                 = "${sourceImage}"
  instance_type              = "t3.small"
  ssh_username               = "root"
  ssh_port                   = 2222
  ami_name                   = "stock-{{ timestamp }}"
  aws_polling {
    delay_seconds = 1
    max_attempts  = 60
  }
}
build {
  sources = ["source.amazon-ebs.linux"]
  provisioner "shell" {
    inline = [${JSON.stringify(`echo '${components}' > /tmp/sbom.json`)}]
  }
  provisioner "hcp-sbom" {
    source    = "/tmp/sbom.json"
    sbom_name = "of-the-guest"
  }
}
`;

describe.runIf(hasAmazon)('stock Packer with amazon-ebs', () => {
  it('publishes the image and the SBOM of its guest', async () => {
    const stock = await server.environment('packer', 'contributor');
    const env = { ...stock, ...cloud.environment, PACKER_PLUGIN_PATH: amazonPluginFolder() };
    const folder = templateIn(server.folder, template(base));
    const ran = await build({ ...env, HCP_PACKER_BUILD_FINGERPRINT: 'on-aws' }, folder);
    expect(ran, ran.said).toMatchObject({ code: 0 });

    const { body } = await server.call('GET', '/buckets/amazon/versions/on-aws');
    const [made] = body.version.builds;
    expect(body.version).toMatchObject({ name: 'v1', status: 'VERSION_ACTIVE' });
    expect(made).toMatchObject({
      component_type: 'amazon-ebs.linux',
      platform: 'aws',
      source_external_identifier: base,
      artifacts: [{ external_identifier: expect.stringMatching(/^ami-/), region: awsHome }],
    });
    const { images } = await cloud.everything(cloud.accounts.owner, awsHome);
    expect(images.map(({ id }) => id)).toContain(made.artifacts[0].external_identifier);
    const sboms = await server.call('GET', `/buckets/amazon/versions/on-aws/builds/${made.id}/sboms`);
    expect(sboms.body.sboms).toMatchObject([{ name: 'of-the-guest', format: 'CYCLONEDX' }]);
    const packages = await server.call('GET', `/buckets/amazon/versions/on-aws/builds/${made.id}/packages`);
    expect(packages.body.packages).toMatchObject([{ name: 'busybox', version: '1.35.0' }]);
  }, 120_000);
});
