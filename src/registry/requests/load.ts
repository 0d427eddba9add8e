import { Failure } from '../../domain/failure.ts';
import type { BakeRequest } from '../../domain/version.ts';
import type { Db } from '../../store/store.ts';

/** Requests with their present attempt. */
export function selectRequests(db: Db) {
  return db
    .selectFrom('request')
    .innerJoin('request_attempt as present', (join) =>
      join.onRef('present.request_id', '=', 'request.id').onRef('present.attempt', '=', 'request.attempt'),
    )
    .innerJoin('bucket', 'bucket.id', 'request.bucket_id')
    .innerJoin('project', 'project.id', 'request.project_id')
    .leftJoin('version', (join) =>
      join.onRef('version.request_id', '=', 'request.id').onRef('version.attempt', '=', 'request.attempt'),
    )
    .select(['request.id', 'project.name as project', 'bucket.name as bucket', 'request.kind', 'request.key'])
    .select([
      'request.state',
      'request.attempt',
      'present.workflow_id as workflowId',
      'adopted_version_id as adoptedVersionId',
    ])
    .select((row) => row.fn.coalesce('version.id', 'adopted_version_id').as('versionId'))
    .select([
      'present.stage',
      'request.cancel_wanted as cancelWanted',
      'request.failure',
      'request.actor as by',
    ])
    .select(['request.created_at as createdAt', 'request.ended_at as endedAt']);
}

export async function loadRequest(db: Db, id: string): Promise<BakeRequest> {
  const row = await selectRequests(db).where('request.id', '=', id).executeTakeFirst();
  if (row === undefined) throw requestNotFound(id);
  return row;
}

export function requestNotFound(id: string): Failure {
  return new Failure(
    'not_found',
    `Request ${id} does not exist. List the requests of the project for their ids.`,
  );
}
