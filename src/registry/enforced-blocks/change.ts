import { sql } from 'kysely';
import { ulid } from 'ulid';
import type { Actor } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type {
  EnforcedBlock,
  EnforcedBlocks,
  EnforcedBlockVersion,
  NewEnforcedBlockVersion,
} from '../contract/enforced-blocks.ts';
import { record } from '../record.ts';
import { findProject } from '../tenancy/projects.ts';
import { findBlock, findVersion, lockBlock, refuseLinked, selectLinks } from './rows.ts';

type Input<Name extends keyof EnforcedBlocks> = Parameters<EnforcedBlocks[Name]>[0];

/** `bytes`: of the contents of a block's versions, which are listed as a whole. */
const most = { blocks: 500, versions: 500, bytes: 8 * 1024 * 1024 } as const;

export async function createBlock(
  tx: Tx,
  { project, name, labels, first, by }: Input<'create'>,
): Promise<EnforcedBlock & { readonly latest: EnforcedBlockVersion }> {
  const { id: projectId } = await findProject(tx, project);
  const { held } = await tx
    .selectFrom('enforced_block')
    .select((at) => at.fn.countAll<string>().as('held'))
    .where('project_id', '=', projectId)
    .executeTakeFirstOrThrow();
  if (Number(held) >= most.blocks) throw full(`Project "${project}"`, `${most.blocks} enforced blocks`);
  const now = await clock(tx);
  const id = ulid();
  const made = await tx
    .insertInto('enforced_block')
    .values({
      id,
      project_id: projectId,
      name,
      labels: JSON.stringify(labels),
      actor: JSON.stringify(by),
      created_at: now,
      updated_at: now,
    })
    .onConflict((on) => on.columns(['project_id', 'name']).doNothing())
    .executeTakeFirst();
  if (made.numInsertedOrUpdatedRows !== 1n) throw nameTaken(name);
  const latest = await insertVersion(tx, id, first, by, now);
  const data = { block: name, version: latest.version, versionId: latest.id };
  await record(tx, { kind: 'enforced_block.created', project, subjectId: id, data, by, at: now });
  return { ...(await findBlock(tx, project, id)), latest };
}

export async function updateBlock(
  tx: Tx,
  { project, blockId, name, labels, by }: Input<'update'>,
): Promise<EnforcedBlock> {
  const { block, now } = await lockBlock(tx, project, blockId);
  const wanted = { name: name ?? block.name, labels: labels ?? block.labels };
  if (wanted.name === block.name && sameLabels(wanted.labels, block.labels)) return block;
  if (wanted.name !== block.name) {
    const { id: projectId } = await findProject(tx, project);
    const other = await tx
      .selectFrom('enforced_block')
      .select('id')
      .where('project_id', '=', projectId)
      .where('name', '=', wanted.name)
      .executeTakeFirst();
    if (other !== undefined) throw nameTaken(wanted.name);
  }
  const done = await tx
    .updateTable('enforced_block')
    .set({ name: wanted.name, labels: JSON.stringify(wanted.labels), updated_at: now })
    .where('id', '=', blockId)
    .executeTakeFirst();
  if (done.numUpdatedRows !== 1n) throw new Failure('conflict', 'The block was deleted meanwhile.');
  const data = { block: wanted.name, before: block.name, labels: wanted.labels };
  await record(tx, { kind: 'enforced_block.updated', project, subjectId: blockId, data, by, at: now });
  return findBlock(tx, project, blockId);
}

export async function removeBlock(tx: Tx, { project, blockId, by }: Input<'remove'>): Promise<void> {
  const { block, now } = await lockBlock(tx, project, blockId);
  refuseLinked(
    `Enforced block "${block.name}"`,
    await selectLinks(tx).where('l.block_id', '=', blockId).orderBy('bucket.name').execute(),
  );
  // Those of deleted buckets.
  await tx.deleteFrom('enforced_block_link').where('block_id', '=', blockId).execute();
  await tx.deleteFrom('enforced_block').where('id', '=', blockId).execute();
  const data = { block: block.name };
  await record(tx, { kind: 'enforced_block.deleted', project, subjectId: blockId, data, by, at: now });
}

export async function addVersion(
  tx: Tx,
  { project, blockId, version, by }: Input<'addVersion'>,
): Promise<EnforcedBlockVersion> {
  const { block, now } = await lockBlock(tx, project, blockId);
  const made = await insertVersion(tx, blockId, version, by, now);
  await tx.updateTable('enforced_block').set({ updated_at: now }).where('id', '=', blockId).execute();
  const data = { block: block.name, version: made.version, versionId: made.id };
  await record(tx, { kind: 'enforced_block.updated', project, subjectId: blockId, data, by, at: now });
  return made;
}

export async function describeVersion(
  tx: Tx,
  { project, blockId, versionId, description, by }: Input<'describeVersion'>,
): Promise<EnforcedBlockVersion> {
  const { block, now } = await lockBlock(tx, project, blockId);
  const before = await findVersion(tx, blockId, versionId);
  if (before.description === description) return before;
  await tx
    .updateTable('enforced_block_version')
    .set({ description, updated_at: now })
    .where('id', '=', versionId)
    .execute();
  const data = { block: block.name, version: before.version, versionId, description };
  await record(tx, { kind: 'enforced_block.updated', project, subjectId: blockId, data, by, at: now });
  return findVersion(tx, blockId, versionId);
}

export async function removeVersion(
  tx: Tx,
  { project, blockId, versionId, by }: Input<'removeVersion'>,
): Promise<void> {
  const { block, now } = await lockBlock(tx, project, blockId);
  const { version } = await findVersion(tx, blockId, versionId);
  refuseLinked(
    `Version ${version} of enforced block "${block.name}"`,
    await selectLinks(tx).where('l.version_id', '=', versionId).orderBy('bucket.name').execute(),
  );
  await tx.deleteFrom('enforced_block_link').where('version_id', '=', versionId).execute();
  await tx.deleteFrom('enforced_block_version').where('id', '=', versionId).execute();
  const data = { block: block.name, version, versionId };
  await record(tx, { kind: 'enforced_block.deleted', project, subjectId: blockId, data, by, at: now });
}

async function insertVersion(
  tx: Tx,
  blockId: string,
  { version, content, templateType, description }: NewEnforcedBlockVersion,
  by: Actor,
  now: string,
): Promise<EnforcedBlockVersion> {
  const known = await tx
    .selectFrom('enforced_block_version')
    .select(['version', sql<number>`octet_length(content)`.as('bytes')])
    .where('block_id', '=', blockId)
    .execute();
  const names = new Set(known.map((one) => one.version));
  if (names.size >= most.versions) throw full(`Block ${blockId}`, `${most.versions} versions`);
  const bytes = known.reduce((sum, one) => sum + one.bytes, Buffer.byteLength(content));
  if (bytes > most.bytes) {
    throw new Failure(
      'illegal_state',
      `The versions of block ${blockId} would hold ${bytes} bytes, and ${most.bytes} is the most. Delete some that are not linked.`,
    );
  }
  const name = version ?? freeName(names);
  if (names.has(name)) {
    throw new Failure('already_exists', `The enforced block has a version "${name}" already.`);
  }
  const id = ulid();
  await tx
    .insertInto('enforced_block_version')
    .values({
      id,
      block_id: blockId,
      version: name,
      content,
      template_type: templateType,
      description,
      actor: JSON.stringify(by),
      created_at: now,
      updated_at: now,
    })
    .execute();
  return findVersion(tx, blockId, id);
}

function freeName(taken: ReadonlySet<string>): string {
  let number = taken.size + 1;
  while (taken.has(String(number))) number += 1;
  return String(number);
}

function sameLabels(a: EnforcedBlock['labels'], b: EnforcedBlock['labels']): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

export const nameTaken = (name: string): Failure =>
  new Failure('already_exists', `An enforced block with name "${name}" already exists.`);

const full = (what: string, many: string): Failure =>
  new Failure('illegal_state', `${what} has ${many}, which is the most there may be. Delete some first.`);
