import type { Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import { sqlState } from '../../store/unavailable.ts';
import type { EnforcedBlocks } from '../contract/enforced-blocks.ts';
import { findBucket } from '../lookup.ts';
import { findProject } from '../tenancy/projects.ts';
import { loadBucketViews } from '../views/buckets.ts';
import {
  addVersion,
  createBlock,
  describeVersion,
  nameTaken,
  removeBlock,
  removeVersion,
  updateBlock,
} from './change.ts';
import { linkBuckets } from './link.ts';
import { findBlock, findVersion, selectBlocks, selectLinks, selectVersions } from './rows.ts';

export function createEnforcedBlocks(store: Store): EnforcedBlocks {
  const { db } = store;
  const versionsOf = (blockId: string) =>
    selectVersions(db)
      .where('v.block_id', '=', blockId)
      .orderBy('v.created_at', 'desc')
      .orderBy('v.id', 'desc');
  return {
    async list(project) {
      const { id } = await findProject(db, project);
      return selectBlocks(db).where('project_id', '=', id).orderBy('name').execute();
    },
    async get({ project, blockId }) {
      const block = await findBlock(db, project, blockId);
      return { ...block, latest: (await versionsOf(blockId).limit(1).executeTakeFirst()) ?? null };
    },
    create: (input) => transact(store, (tx) => createBlock(tx, input)),
    async update(input) {
      try {
        return await transact(store, (tx) => updateBlock(tx, input));
      } catch (error) {
        // Two blocks that take one name at once: each holds its own lock only.
        if (sqlState(error) === '23505') throw nameTaken(input.name ?? '');
        throw error;
      }
    },
    remove: (input) => transact(store, (tx) => removeBlock(tx, input)),
    async versions({ project, blockId }) {
      const block = await findBlock(db, project, blockId);
      return { block, versions: await versionsOf(blockId).execute() };
    },
    addVersion: (input) => transact(store, (tx) => addVersion(tx, input)),
    describeVersion: (input) => transact(store, (tx) => describeVersion(tx, input)),
    removeVersion: (input) => transact(store, (tx) => removeVersion(tx, input)),
    async links({ project, blockId, versionId }, sights) {
      await findBlock(db, project, blockId);
      await findVersion(db, blockId, versionId);
      const links = await selectLinks(db)
        .where('l.version_id', '=', versionId)
        .orderBy('bucket.name')
        .execute();
      const ids = links.map(({ bucketId }) => bucketId);
      const views = new Map((await loadBucketViews(db, ids, sights)).map((view) => [view.id, view]));
      return links.flatMap((link) => {
        const bucket = views.get(link.bucketId);
        return bucket === undefined ? [] : [{ link, bucket }];
      });
    },
    link: (input) => transact(store, (tx) => linkBuckets(tx, input)),
    async forBucket(project, bucket) {
      const { id } = await findBucket(db, project, bucket);
      const rows = await selectVersions(db)
        .innerJoin('enforced_block_link as l', 'l.version_id', 'v.id')
        .innerJoin('enforced_block', 'enforced_block.id', 'v.block_id')
        .where('l.bucket_id', '=', id)
        .select('enforced_block.name as name')
        .orderBy('enforced_block.created_at')
        .orderBy('enforced_block.id')
        .execute();
      return rows.map(({ name, ...version }) => ({ id: version.blockId, name, version }));
    },
  };
}
