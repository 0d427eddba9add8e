/** The `azure` provider on a test cloud of its own, reached over TLS by the official SDKs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ComputeManagementClient } from '@azure/arm-compute';
import { ResourceManagementClient } from '@azure/arm-resources';
import type { BakeMark, ImageProvider, PackerArtifact } from '../../src/providers/provider.ts';
import { createAzureProvider, type AzureSubscription } from '../../src/providers/azure/index.ts';
import { startAzureCloud, type AzureCloud, type AzureCloudOptions } from '../support/clouds/azure.ts';
import type { ProviderFixture } from './provider-fixture.ts';

export const home = 'westeurope';
export const group = 'images';
export const gallery = 'golden';

export interface AzureFixture extends ProviderFixture {
  readonly cloud: AzureCloud;
  readonly subscriptions: readonly [AzureSubscription, AzureSubscription, ...AzureSubscription[]];
  /** Another provider on the same cloud, as another process would have it. */
  open(
    change?: Partial<AzureSubscription>,
    only?: readonly AzureSubscription[],
    allReadersConfigured?: boolean,
  ): ImageProvider;
}

export function markTags({ bakeId, attemptId, imageName }: BakeMark): Record<string, string> {
  return { bake_id: bakeId, attempt_id: attemptId, image_name: imageName };
}

export async function openAzure(options: AzureCloudOptions = {}): Promise<AzureFixture> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'bakehouse-azure-'));
  const cloud = await startAzureCloud(options);
  const of = (id: string): AzureSubscription => ({
    id,
    locations: [home, 'northeurope', 'uksouth'],
    resourceGroup: group,
    gallery,
    pointerChannel: 'prod',
    credentials: {
      kind: 'clientSecret',
      tenantId: cloud.tenantId,
      clientId: cloud.clientId,
      clientSecret: () => Promise.resolve(cloud.clientSecret),
    },
  });
  const [first = '', second = '', ...more] = cloud.subscriptionIds;
  const subscriptions = [of(first), of(second), ...more.map(of)] as const;
  for (const { id } of subscriptions) await prepareSubscription(cloud, id);
  const open: AzureFixture['open'] = (change = {}, only = subscriptions, allReadersConfigured = true) =>
    createAzureProvider({
      subscriptions: only.map((one) => ({ ...one, ...change })),
      allReadersConfigured,
      clients: {
        endpoint: cloud.endpoint,
        authorityHost: cloud.endpoint,
        tls: { ca: cloud.ca },
        pollEveryMs: 20,
      },
    });
  const artifact = async (mark: BakeMark, boots = true): Promise<PackerArtifact> => ({
    source: 'azure-arm.base',
    builderType: 'azure-arm',
    artifactId: await cloud.managedImage(first, 'packer', mark.imageName, home, {
      tags: markTags(mark),
      boots,
    }),
    files: [],
  });
  const provider = open();
  const target = { provider: 'azure', account: first, region: home };
  return {
    provider,
    target,
    digests: false,
    // A managed image is a work file: an attempt that is refused throws its own away.
    artifactLiesInPlace: false,
    cloud,
    subscriptions,
    open,
    artifact: (mark) => artifact(mark),
    unbootable: (mark) => artifact(mark, false),
    artifactWith: (mark) => artifact(mark),
    settings: { vmSize: 'Standard_B1s' },
    shortBoot: { bootTimeoutMs: 1_500 },
    wrongSetting: { settings: { vmSzie: 'Standard_B1s' }, key: 'vmSzie' },
    shares: [second, first],
    // Auto-shutdown knows minutes: the one that runs has to end too.
    pass: (ms) => cloud.passTime(ms + 60_000),
    folder: (name) => path.join(scratch, name),
    async dispose() {
      await cloud.stop();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** What the platform's own infrastructure code makes. */
async function prepareSubscription(cloud: AzureCloud, id: string): Promise<void> {
  const resources = new ResourceManagementClient(cloud.credential(), id, cloud.clientOptions);
  await resources.resourceGroups.createOrUpdate(group, { location: home });
  const compute = new ComputeManagementClient(cloud.credential(), id, cloud.clientOptions);
  await compute.galleries
    .createOrUpdate(
      group,
      gallery,
      { location: home, sharingProfile: { permissions: 'Groups' } },
      { updateIntervalInMs: 20 },
    )
    .pollUntilDone();
}
