import { Failure } from '../../domain/failure.ts';
import type { Store } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { Versions } from '../contract/versions.ts';
import { findBucket, versionName } from '../lookup.ts';
import { loadDescendants, loadVersion, loadVersions, listVersionIds } from './load.ts';
import { resolve } from './resolve.ts';

export function createVersions(store: Store): Versions {
  const { db } = store;
  return {
    get: (versionId) => loadVersion(db, versionId),
    async find(project, bucket, name) {
      const { id: bucketId } = await findBucket(db, project, bucket);
      const number = /^v?(\d{1,9})$/.exec(name)?.[1];
      const row = await db
        .selectFrom('version')
        .select('id')
        .where('bucket_id', '=', bucketId)
        .where('deleted_at', 'is', null)
        .where((one) =>
          one.or([
            one('fingerprint', '=', name),
            one('id', '=', name),
            ...(number === undefined ? [] : [one('number', '=', Number(number))]),
          ]),
        )
        // A fingerprint of digits is told from a number by being written first.
        .orderBy((one) => one('number', 'is not distinct from', Number(number ?? 0)), 'desc')
        .executeTakeFirst();
      if (row !== undefined) return loadVersion(db, row.id);
      const latest = await loadVersions(db, await listVersionIds(db, bucketId, { limit: 5 }));
      const names = latest.map((one) => (one.number === null ? one.fingerprint : versionName(one.number)));
      throw new Failure(
        'not_found',
        `Bucket "${bucket}" of project "${project}" has no version "${name}". ${names.length === 0 ? 'It has none yet: bake one' : `The latest are ${names.join(', ')}`}.`,
      );
    },
    async list(project, bucket, page = {}) {
      const { id } = await findBucket(db, project, bucket);
      const limit = Math.min(page.limit ?? 50, 500);
      return loadVersions(db, await listVersionIds(db, id, { ...page, limit }));
    },
    async resolve(project, bucket, channel, sight) {
      return resolve(db, { project, bucket, channel, sight }, await clock(db));
    },
    descendants: (versionId) => loadDescendants(db, versionId),
  };
}
