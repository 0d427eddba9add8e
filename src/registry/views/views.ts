import type { Store } from '../../store/store.ts';
import type { Views } from '../contract/views.ts';
import { loadBucketView } from './buckets.ts';
import { buildReaders } from './builds.ts';
import { loadChannelViews } from './channels.ts';
import { findBucketId } from './find.ts';
import { loadHistory } from './history.ts';
import { listBucketViews, listVersionViews, searchArtifacts } from './lists.ts';
import { loadRelations } from './relations.ts';
import { channelReader } from './read-channel.ts';
import { versionReader } from './read-version.ts';

export function createViews(store: Store): Views {
  const { db } = store;
  return {
    bucket: (project, bucket, sights) => loadBucketView(db, project, bucket, sights),
    version: versionReader(store),
    ...buildReaders(store),
    channel: channelReader(store),
    channels: (project, bucket, sights) => loadChannelViews(db, project, bucket, sights),
    buckets: (project, page, sights) => listBucketViews(db, project, page, sights),
    versions: async (project, bucket, page, sights) =>
      listVersionViews(db, await findBucketId(db, project, bucket), page, sights),
    history: (...asked) => loadHistory(db, ...asked),
    search: (...asked) => searchArtifacts(db, ...asked),
    relations: (...asked) => loadRelations(db, ...asked),
  };
}
