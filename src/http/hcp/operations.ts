import type { HcpOperation } from './handler.ts';
import { bucketReadOperations } from './handlers/bucket-reads.ts';
import { bucketWriteOperations } from './handlers/bucket-writes.ts';
import { channelReadOperations } from './handlers/channel-reads.ts';
import { channelWriteOperations } from './handlers/channel-writes.ts';
import { enforcedBlockOperations } from './handlers/enforced-blocks.ts';
import { iamOperations } from './handlers/iam.ts';
import { iterationOperations } from './handlers/iterations.ts';
import { registryOperations } from './handlers/registry.ts';
import { publishingOperations } from './handlers/publishing.ts';
import { resourceManagerOperations } from './handlers/resource-manager.ts';
import { packageOperations } from './handlers/packages.ts';
import { sbomOperations } from './handlers/sboms.ts';
import { operationOperations } from './handlers/operations.ts';
import { versionChangeOperations } from './handlers/version-changes.ts';
import { versionReadOperations } from './handlers/version-reads.ts';
import { webhookOperations } from './handlers/webhooks.ts';

/** All that is answered under HCP's prefixes; the rest of them is 501/12. */
export const hcpOperations: readonly HcpOperation[] = [
  ...bucketReadOperations,
  ...bucketWriteOperations,
  ...channelReadOperations,
  ...channelWriteOperations,
  ...enforcedBlockOperations,
  ...iamOperations,
  ...iterationOperations,
  ...registryOperations,
  ...publishingOperations,
  ...resourceManagerOperations,
  ...packageOperations,
  ...sbomOperations,
  ...versionReadOperations,
  ...webhookOperations,
  ...versionChangeOperations,
  ...operationOperations,
];
