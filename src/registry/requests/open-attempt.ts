import { workflowIds } from '../../domain/workflow-ids.ts';
import type { Tx } from '../../store/store.ts';
import type { AcceptRequest } from '../contract/requests.ts';
import { record } from '../record.ts';

/** Begins an attempt of a request, with its event and, where no workflow holds it already, the start of its own. */
export async function openAttempt(
  tx: Tx,
  input: Pick<AcceptRequest, 'kind' | 'project' | 'bucket' | 'heldBy' | 'by'>,
  requestId: string,
  attempt: number,
  now: string,
  adoptedVersionId: string | null = null,
): Promise<void> {
  const workflowId = input.heldBy ?? workflowIds[input.kind](input.project, requestId, attempt);
  await tx
    .insertInto('request_attempt')
    .values({
      request_id: requestId,
      attempt,
      workflow_id: workflowId,
      state: 'open',
      stage: 'accepted',
      created_at: now,
    })
    .execute();
  await record(
    tx,
    {
      kind: 'request.accepted',
      project: input.project,
      bucket: input.bucket,
      versionId: adoptedVersionId,
      subjectId: requestId,
      data: {
        kind: input.kind,
        attempt,
        workflowId,
        ...(adoptedVersionId === null ? {} : { adopted: true }),
      },
      by: input.by,
      at: now,
    },
    input.heldBy === undefined
      ? [{ action: 'start', workflow: input.kind, workflowId, input: { requestId, attempt } }]
      : [],
  );
}
