import type { Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { BucketSummary, Lines } from '../contract/lines.ts';
import type { BucketRow } from '../lookup.ts';
import { findBucket, selectBuckets } from '../lookup.ts';
import { applyLines, changeOf } from './apply.ts';
import { checkLines } from './check.ts';
import { getTemplate, hasTemplate, putTemplate } from './templates.ts';

export function createLines(store: Store): Lines {
  return {
    async plan(project, lines) {
      await checkLines(store.db, project, lines);
      const buckets = await selectBuckets(store.db).where('project.name', '=', project).execute();
      const known = new Map(buckets.map((bucket) => [bucket.name, bucket]));
      return lines.map((line) => changeOf(known.get(line.bucket), line));
    },
    apply: (project, lines, by) => transact(store, (tx) => applyLines(tx, project, lines, by)),
    async get(project, bucket) {
      return summary(await findBucket(store.db, project, bucket));
    },
    async list(project) {
      const rows = await selectBuckets(store.db)
        .where('project.name', '=', project)
        .orderBy('bucket.name')
        .execute();
      return rows.map(summary);
    },
    putTemplate: (snapshot) => putTemplate(store, snapshot),
    hasTemplate: (digest) => hasTemplate(store, digest),
    getTemplate: (digest) => getTemplate(store, digest),
  };
}

function summary(row: BucketRow): BucketSummary {
  return {
    id: row.id,
    project: row.project,
    bucket: row.name,
    description: row.description,
    line: row.line,
    latestNumber: row.nextNumber - 1,
    createdAt: row.createdAt,
  };
}
