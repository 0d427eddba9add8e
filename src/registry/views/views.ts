import type { Store } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { Views } from '../contract/views.ts';
import { loadBucketView } from './buckets.ts';
import { loadBuildView, loadBuildViews } from './builds.ts';
import { loadChannelView, loadChannelViews } from './channels.ts';
import { findBucketId, findVersionId } from './find.ts';
import { loadHistory } from './history.ts';
import { listBucketViews, listVersionViews, searchArtifacts } from './lists.ts';
import { loadRelations } from './relations.ts';
import { loadVersionViews } from './load-versions.ts';
import { missing } from './missing.ts';

export function createViews({ db }: Store): Views {
  return {
    bucket: (project, bucket, sights) => loadBucketView(db, project, bucket, sights),
    async version(project, bucket, fingerprint, sights) {
      const id = await findVersionId(db, project, bucket, fingerprint);
      const view = (await loadVersionViews(db, [id], { sights, now: await clock(db), metadata: true })).get(
        id,
      );
      if (view === undefined) throw missing('version', fingerprint);
      return view;
    },
    builds: (project, bucket, fingerprint) => loadBuildViews(db, project, bucket, fingerprint),
    build: (project, bucket, fingerprint, buildId) =>
      loadBuildView(db, project, bucket, fingerprint, buildId),
    channel: (project, bucket, channel, sights) => loadChannelView(db, project, bucket, channel, sights),
    channels: (project, bucket, sights) => loadChannelViews(db, project, bucket, sights),
    buckets: (project, page, sights) => listBucketViews(db, project, page, sights),
    versions: async (project, bucket, page, sights) =>
      listVersionViews(db, await findBucketId(db, project, bucket), page, sights),
    history: (...asked) => loadHistory(db, ...asked),
    search: (...asked) => searchArtifacts(db, ...asked),
    relations: (...asked) => loadRelations(db, ...asked),
  };
}
