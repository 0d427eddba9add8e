import { z } from 'zod';
import { hcpRoute, registryPrefix } from '../route.ts';
import {
  enforcedBlock,
  enforcedBlockBucket,
  enforcedBlockDetail,
  enforcedBlockVersion,
  givenBlock,
  givenVersion,
  linkedBucket,
} from '../schemas/enforced-block.ts';
import { givenLabels, nothing, text } from '../values.ts';

const blocks = `${registryPrefix}/enforced_blocks` as const;
const block = `${blocks}/{enforced_block_id}` as const;
const version = `${block}/versions/{enforced_block_version_id}` as const;
const oneBlock = z.object({ enforced_block: enforcedBlock });
const oneVersion = z.object({ enforced_block_version: enforcedBlockVersion });
const details = z.object({ enforced_block_detail: enforcedBlockDetail });
/** Fields to change, comma-separated; `name` or `labels`. Go drops what is empty, so the mask decides and not what is there. */
const updateMask = text(255);

export const enforcedBlockRoutes = {
  ListEnforcedBlocks: hcpRoute({
    method: 'GET',
    path: blocks,
    operation: 'ListEnforcedBlocks',
    summary: 'Enforced blocks of the project, by name, all of them.',
    role: 'viewer',
    query: nothing,
    body: nothing,
    reply: z.object({ enforced_blocks: z.array(enforcedBlock) }),
    errors: [],
  }),
  CreateEnforcedBlock: hcpRoute({
    method: 'PUT',
    path: blocks,
    operation: 'CreateEnforcedBlock',
    summary:
      'Makes an enforced block with its first version. Its content must be provisioners and nothing else.',
    role: 'admin',
    query: nothing,
    body: givenBlock,
    reply: oneBlock,
    errors: ['already_exists', 'illegal_state'],
  }),
  GetEnforcedBlocksByBucket: hcpRoute({
    method: 'GET',
    path: `${blocks}/bucket/{bucket_name}`,
    operation: 'GetEnforcedBlocksByBucket',
    summary: 'What a build of the bucket has to run; Packer asks for it.',
    role: 'viewer',
    query: nothing,
    body: nothing,
    reply: details,
    errors: ['not_found'],
  }),
  GetEnforcedBlock: hcpRoute({
    method: 'GET',
    path: block,
    operation: 'GetEnforcedBlock',
    summary: 'One enforced block with its newest version.',
    role: 'viewer',
    query: nothing,
    body: nothing,
    reply: oneBlock,
    errors: ['not_found'],
  }),
  UpdateEnforcedBlock: hcpRoute({
    method: 'PATCH',
    path: block,
    operation: 'UpdateEnforcedBlock',
    summary: 'Changes the fields that `update_mask` names: `name`, `labels`.',
    role: 'admin',
    query: nothing,
    body: z.object({ name: text(255), labels: givenLabels, update_mask: updateMask }),
    reply: oneBlock,
    errors: ['not_found', 'already_exists', 'conflict'],
  }),
  DeleteEnforcedBlock: hcpRoute({
    method: 'DELETE',
    path: block,
    operation: 'DeleteEnforcedBlock',
    summary: 'Deletes an enforced block with its versions; refused while one of them is linked to a bucket.',
    role: 'admin',
    query: nothing,
    body: nothing,
    reply: nothing,
    errors: ['not_found', 'illegal_state'],
  }),
  GetEnforcedBlockVersions: hcpRoute({
    method: 'GET',
    path: `${block}/versions`,
    operation: 'GetEnforcedBlockVersions',
    summary: 'Versions of an enforced block, newest first.',
    role: 'viewer',
    query: nothing,
    body: nothing,
    reply: details,
    errors: ['not_found'],
  }),
  CreateEnforcedBlockVersion: hcpRoute({
    method: 'PUT',
    path: `${block}/versions`,
    operation: 'CreateEnforcedBlockVersion',
    summary: 'Adds a version with another content. Buckets keep the one that they are linked to.',
    role: 'admin',
    query: nothing,
    body: givenVersion,
    reply: oneVersion,
    errors: ['not_found', 'already_exists', 'illegal_state'],
  }),
  UpdateEnforcedBlockVersion: hcpRoute({
    method: 'PATCH',
    path: version,
    operation: 'UpdateEnforcedBlockVersion',
    summary:
      'Changes what `update_mask` names: `additionalDescription`. The content of a version never changes.',
    role: 'admin',
    query: nothing,
    body: z.object({ additional_description: text(4096), update_mask: updateMask }),
    reply: oneVersion,
    errors: ['not_found'],
  }),
  DeleteEnforcedBlockVersion: hcpRoute({
    method: 'DELETE',
    path: version,
    operation: 'DeleteEnforcedBlockVersion',
    summary: 'Deletes a version; refused while it is linked to a bucket.',
    role: 'admin',
    query: nothing,
    body: nothing,
    reply: nothing,
    errors: ['not_found', 'illegal_state'],
  }),
  GetEnforcedBlockLinkedBuckets: hcpRoute({
    method: 'GET',
    path: `${version}/buckets`,
    operation: 'GetEnforcedBlockLinkedBuckets',
    summary: 'Buckets that the version is linked to, by name.',
    role: 'viewer',
    query: nothing,
    body: nothing,
    reply: z.object({ linked_buckets: z.array(linkedBucket) }),
    errors: ['not_found'],
  }),
  ManageEnforcedBlockLinkedBuckets: hcpRoute({
    method: 'POST',
    path: `${version}/buckets`,
    operation: 'ManageEnforcedBlockLinkedBuckets',
    summary:
      'Makes the named buckets the ones that this version is linked to. A bucket has one version of a block: it changes to this one.',
    role: 'admin',
    query: nothing,
    body: z.object({
      bucket_names: z
        .array(z.string().max(255))
        .max(10_000)
        .nullish()
        .transform((value) => value ?? []),
    }),
    reply: z.object({ enforced_block_buckets: z.array(enforcedBlockBucket) }),
    errors: ['not_found', 'illegal_state'],
  }),
} as const;
