import { Failure } from '../../domain/failure.ts';
import type { Db, Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { EnforcedBlock, EnforcedBlockLink } from '../contract/enforced-blocks.ts';
import { findProject } from '../tenancy/projects.ts';

export const selectBlocks = (db: Db) =>
  db
    .selectFrom('enforced_block')
    .select(['enforced_block.id as id', 'enforced_block.name as name', 'enforced_block.labels as labels'])
    .select(['enforced_block.created_at as createdAt', 'enforced_block.updated_at as updatedAt']);

export const selectVersions = (db: Db) =>
  db
    .selectFrom('enforced_block_version as v')
    .select(['v.id as id', 'v.block_id as blockId', 'v.version as version', 'v.content as content'])
    .select(['v.template_type as templateType', 'v.description as description'])
    .select(['v.created_at as createdAt', 'v.updated_at as updatedAt']);

export const selectLinks = (db: Db) =>
  db
    .selectFrom('enforced_block_link as l')
    .innerJoin('bucket', 'bucket.id', 'l.bucket_id')
    .where('bucket.deleted_at', 'is', null)
    .select(['l.id as id', 'l.block_id as blockId', 'l.version_id as versionId', 'l.bucket_id as bucketId'])
    .select(['bucket.name as bucket', 'l.created_at as createdAt']);

/** A block of another project is not found, as one that does not exist. */
export async function findBlock(db: Db, project: string, blockId: string): Promise<EnforcedBlock> {
  const found = await selectBlocks(db)
    .innerJoin('project', 'project.id', 'enforced_block.project_id')
    .where('project.name', '=', project)
    .where('enforced_block.id', '=', blockId)
    .executeTakeFirst();
  if (found !== undefined) return found;
  throw new Failure(
    'not_found',
    `The enforced block with identifier ${blockId} does not exist. ListEnforcedBlocks names those of the project.`,
  );
}

export async function findVersion(db: Db, blockId: string, versionId: string) {
  const found = await selectVersions(db)
    .where('v.id', '=', versionId)
    .where('v.block_id', '=', blockId)
    .executeTakeFirst();
  if (found !== undefined) return found;
  throw new Failure(
    'not_found',
    `The enforced block version with identifier ${versionId} does not exist in block ${blockId}.`,
  );
}

export interface LockedBlock {
  readonly block: EnforcedBlock;
  /** Read after the lock. */
  readonly now: string;
}

/** After the locks of buckets: whoever holds a block never waits for one of those. */
export async function lockBlock(tx: Tx, project: string, blockId: string): Promise<LockedBlock> {
  const { id: projectId } = await findProject(tx, project);
  await tx
    .selectFrom('enforced_block')
    .select('id')
    .where('id', '=', blockId)
    .where('project_id', '=', projectId)
    .forUpdate()
    .execute();
  return { block: await findBlock(tx, project, blockId), now: await clock(tx) };
}

export function refuseLinked(what: string, links: readonly EnforcedBlockLink[]): void {
  if (links.length === 0) return;
  const names = links.slice(0, 10).map(({ bucket }) => bucket);
  const more = links.length > 10 ? ` and ${links.length - 10} more` : '';
  throw new Failure(
    'illegal_state',
    `${what} is linked to ${names.join(', ')}${more}. Unlink it first: ManageEnforcedBlockLinkedBuckets with the buckets that stay.`,
  );
}
