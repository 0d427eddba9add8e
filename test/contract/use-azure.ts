/** A test cloud of Azure for a file of tests. */
import { ComputeManagementClient } from '@azure/arm-compute';
import { afterAll, beforeAll } from 'vitest';
import type { CallContext, CollectedImage } from '../../src/providers/provider.ts';
import type { ManagedImageOptions } from '../clouds/azure/switchboard.ts';
import { home, markTags, openAzure, type AzureFixture } from './azure-fixture.ts';
import { collectInput, freshMark } from './azure-steps.ts';

export interface AzureInUse extends AzureFixture {
  /** The SDK's own, for what the provider does not do. */
  readonly compute: ComputeManagementClient;
}

export const context: CallContext = { signal: new AbortController().signal, beat: () => undefined };
export const quick = { updateIntervalInMs: 20 };

export function useAzure(): () => AzureInUse {
  let use: AzureInUse;
  beforeAll(async () => {
    const fixture = await openAzure();
    const { cloud, target } = fixture;
    const compute = new ComputeManagementClient(cloud.credential(), target.account, cloud.clientOptions);
    use = { ...fixture, compute };
  });
  afterAll(() => use.dispose());
  return () => use;
}

/** A finished image, of a managed image as Packer leaves it. */
export async function collectIn(
  { cloud, target, provider }: AzureFixture,
  name: string,
  options: ManagedImageOptions = {},
): Promise<CollectedImage> {
  const mark = freshMark(name);
  const artifactId = await cloud.managedImage(target.account, 'packer', mark.imageName, home, {
    ...options,
    tags: { ...markTags(mark), ...options.tags },
  });
  const artifact = { source: 'azure-arm.base', builderType: 'azure-arm', artifactId, files: [] };
  const [made] = await provider.images.collect(collectInput(mark, artifact, target), context);
  if (made === undefined) throw new Error('nothing was collected');
  return made;
}
