import { enforcedBlockRoutes } from '../descriptors/routes/enforced-blocks.ts';
import type { NewEnforcedBlockVersion } from '../../../registry/contract/enforced-blocks.ts';
import type { HcpCall } from '../handler.ts';
import { implement } from '../handler.ts';
import { invalidFields } from '../invalid-fields.ts';
import { checkProvisioners } from '../provisioners/check-provisioners.ts';
import { maskedFields } from '../update-mask.ts';
import { toWireBucket } from '../wire/bucket.ts';
import { toWireEnforcedBlock, toWireEnforcedBlockVersion } from '../wire/enforced-block.ts';

type GivenVersion = HcpCall<(typeof enforcedBlockRoutes)['CreateEnforcedBlockVersion']>['body'];

async function newVersion(given: GivenVersion): Promise<NewEnforcedBlockVersion> {
  const content = required(given.block_content, 'block_content');
  return {
    content,
    templateType: await checkProvisioners(content, given.template_type),
    description: given.additional_description ?? '',
    // Go drops an empty text: the same as none.
    ...(given.version === undefined || given.version === '' ? {} : { version: given.version }),
  };
}

function required(value: string | undefined, field: string): string {
  if (value !== undefined && value.trim() !== '') return value;
  throw invalidFields([{ field, description: 'must not be empty' }]);
}

export const enforcedBlockOperations = implement(enforcedBlockRoutes, {
  ListEnforcedBlocks: async (call) => {
    const found = await call.deps.registry.enforcedBlocks.list(call.project);
    return { enforced_blocks: found.map((block) => toWireEnforcedBlock(call, block)) };
  },
  CreateEnforcedBlock: async (call) => {
    const { deps, project, body, actor } = call;
    const name = required(body.name, 'name');
    const made = await deps.registry.enforcedBlocks.create({
      project,
      name,
      labels: body.labels ?? {},
      first: await newVersion(body),
      by: actor,
    });
    return { enforced_block: toWireEnforcedBlock(call, made) };
  },
  GetEnforcedBlocksByBucket: async ({ deps, project, path }) => {
    const found = await deps.registry.enforcedBlocks.forBucket(project, path.bucket_name);
    return {
      enforced_block_detail: found.map(({ id, name, version }) => ({
        id,
        name,
        version: toWireEnforcedBlockVersion(version),
      })),
    };
  },
  GetEnforcedBlock: async (call) => {
    const { deps, project, path } = call;
    const found = await deps.registry.enforcedBlocks.get({ project, blockId: path.enforced_block_id });
    return { enforced_block: toWireEnforcedBlock(call, found) };
  },
  UpdateEnforcedBlock: async (call) => {
    const { deps, project, path, body, actor } = call;
    const fields = maskedFields(body.update_mask, ['name', 'labels']);
    const changed = await deps.registry.enforcedBlocks.update({
      project,
      blockId: path.enforced_block_id,
      ...(fields.has('name') ? { name: required(body.name, 'name') } : {}),
      ...(fields.has('labels') ? { labels: body.labels ?? {} } : {}),
      by: actor,
    });
    return { enforced_block: toWireEnforcedBlock(call, changed) };
  },
  DeleteEnforcedBlock: async ({ deps, project, path, actor }) => {
    await deps.registry.enforcedBlocks.remove({ project, blockId: path.enforced_block_id, by: actor });
    return {};
  },
  GetEnforcedBlockVersions: async ({ deps, project, path }) => {
    const { block, versions } = await deps.registry.enforcedBlocks.versions({
      project,
      blockId: path.enforced_block_id,
    });
    return {
      enforced_block_detail: versions.map((version) => ({
        id: block.id,
        name: block.name,
        version: toWireEnforcedBlockVersion(version),
      })),
    };
  },
  CreateEnforcedBlockVersion: async ({ deps, project, path, body, actor }) => {
    const made = await deps.registry.enforcedBlocks.addVersion({
      project,
      blockId: path.enforced_block_id,
      version: await newVersion(body),
      by: actor,
    });
    return { enforced_block_version: toWireEnforcedBlockVersion(made) };
  },
  UpdateEnforcedBlockVersion: async ({ deps, project, path, body, actor }) => {
    maskedFields(body.update_mask, ['additionalDescription']);
    const changed = await deps.registry.enforcedBlocks.describeVersion({
      project,
      blockId: path.enforced_block_id,
      versionId: path.enforced_block_version_id,
      description: body.additional_description ?? '',
      by: actor,
    });
    return { enforced_block_version: toWireEnforcedBlockVersion(changed) };
  },
  DeleteEnforcedBlockVersion: async ({ deps, project, path, actor }) => {
    await deps.registry.enforcedBlocks.removeVersion({
      project,
      blockId: path.enforced_block_id,
      versionId: path.enforced_block_version_id,
      by: actor,
    });
    return {};
  },
  GetEnforcedBlockLinkedBuckets: async (call) => {
    const { deps, project, path, sights } = call;
    const found = await deps.registry.enforcedBlocks.links(
      { project, blockId: path.enforced_block_id, versionId: path.enforced_block_version_id },
      sights,
    );
    return {
      linked_buckets: found.map(({ link, bucket }) => ({
        id: link.id,
        enforced_block_id: link.blockId,
        enforced_block_version_id: link.versionId,
        bucket: toWireBucket(call, bucket),
        created_at: link.createdAt,
      })),
    };
  },
  ManageEnforcedBlockLinkedBuckets: async ({ deps, project, path, body, actor }) => {
    const links = await deps.registry.enforcedBlocks.link({
      project,
      blockId: path.enforced_block_id,
      versionId: path.enforced_block_version_id,
      buckets: body.bucket_names,
      by: actor,
    });
    return {
      enforced_block_buckets: links.map((link) => ({
        id: link.id,
        enforced_block_id: link.blockId,
        enforced_block_version_id: link.versionId,
        bucket_id: link.bucketId,
        created_at: link.createdAt,
      })),
    };
  },
});
