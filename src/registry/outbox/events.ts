import type { Store } from '../../store/store.ts';
import type { Events } from '../contract/events.ts';

export function createEvents(store: Store): Events {
  return {
    async list(project, { after = 0, bucket, versionId, limit = 100 }) {
      let query = store.db
        .selectFrom('event')
        .select(['id', 'sequence', 'kind', 'project', 'bucket', 'version_id as versionId'])
        .select(['subject_id as subjectId', 'data', 'actor as by', 'at'])
        .where('project', '=', project)
        .where('sequence', '>', after);
      if (bucket !== undefined) query = query.where('bucket', '=', bucket);
      if (versionId !== undefined) query = query.where('version_id', '=', versionId);
      return query.orderBy('sequence').limit(Math.min(limit, 1000)).execute();
    },
  };
}
