/** What others than the provider make in a subscription: definitions and versions as Packer publishes them, and scale sets that use images. */
import type { ComputeManagementClient, ImageReference } from '@azure/arm-compute';
import { gallery, group, home, type AzureFixture } from './azure-fixture.ts';

const quick = { updateIntervalInMs: 20 };

export async function makeDefinition(compute: ComputeManagementClient, definition: string): Promise<void> {
  await compute.galleryImages
    .createOrUpdate(
      group,
      gallery,
      definition,
      {
        location: home,
        osType: 'Linux',
        osState: 'Generalized',
        identifier: { publisher: 'p', offer: definition, sku: 's' },
      },
      quick,
    )
    .pollUntilDone();
}

interface Published {
  readonly definition: string;
  readonly version: string;
  readonly tags: Record<string, string>;
  /** Name of the managed image that it is made of. */
  readonly from: string;
}

/** A version as Packer publishes it: in a definition that is there, with its template's tags. Answers its id. */
export async function publish(
  { cloud, target }: Pick<AzureFixture, 'cloud' | 'target'>,
  compute: ComputeManagementClient,
  { definition, version, tags, from }: Published,
): Promise<string> {
  await makeDefinition(compute, definition);
  const id = await cloud.managedImage(target.account, 'packer', from, home);
  const made = await compute.galleryImageVersions
    .createOrUpdate(
      group,
      gallery,
      definition,
      version,
      { location: home, tags, storageProfile: { source: { id } } },
      quick,
    )
    .pollUntilDone();
  return made.id ?? '';
}

/** A scale set with no members yet that launches the image. */
export async function makeScaleSet(
  compute: ComputeManagementClient,
  name: string,
  imageReference: ImageReference,
): Promise<void> {
  const osProfile = { computerNamePrefix: 'x', adminUsername: 'x', adminPassword: 'Aa1-xxxxxxxxxxxx' };
  await compute.virtualMachineScaleSets
    .createOrUpdate(
      group,
      name,
      {
        location: home,
        sku: { name: 'Standard_B1s', tier: 'Standard', capacity: 0 },
        orchestrationMode: 'Uniform',
        upgradePolicy: { mode: 'Manual' },
        virtualMachineProfile: { osProfile, storageProfile: { imageReference } },
      },
      quick,
    )
    .pollUntilDone();
}
