import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import { system } from '../../domain/actor.ts';
import type { FailureReport } from '../../domain/failure.ts';
import { claimSubjects } from '../../domain/workflow-ids.ts';
import type { Tx } from '../../store/store.ts';
import { clock, lockBuckets } from '../../store/transaction.ts';
import type { RequestOutcome } from '../contract/requests.ts';
import { endVersion } from '../bakes/end-version.ts';
import { record } from '../record.ts';
import { loadRequest, requestNotFound } from './load.ts';

interface Locked {
  readonly bucketId: string;
  readonly attempt: number;
  readonly open: boolean;
}

/** The request's bucket locked: everything of a request changes under it. */
async function lockRequest(tx: Tx, requestId: string): Promise<Locked> {
  const read = () =>
    tx
      .selectFrom('request')
      .select(['bucket_id', 'attempt', 'state'])
      .where('id', '=', requestId)
      .executeTakeFirst();
  const before = await read();
  if (before === undefined) throw requestNotFound(requestId);
  await lockBuckets(tx, [before.bucket_id]);
  const row = (await read()) ?? before;
  return { bucketId: row.bucket_id, attempt: row.attempt, open: row.state === 'open' };
}

export async function finish(
  tx: Tx,
  requestId: string,
  attempt: number,
  outcome: RequestOutcome,
): Promise<void> {
  const request = await lockRequest(tx, requestId);
  const failure = outcome.failure === undefined ? null : JSON.stringify(outcome.failure);
  const now = await clock(tx);
  const ended = await tx
    .updateTable('request_attempt')
    .set({ state: outcome.state, failure, ended_at: now, stage: stageOfEnd(outcome) })
    .where('request_id', '=', requestId)
    .where('attempt', '=', attempt)
    .where('state', '=', 'open')
    .executeTakeFirst();
  if (ended.numUpdatedRows === 0n) return;
  if (request.attempt === attempt) {
    await tx
      .updateTable('request')
      .set({ state: outcome.state, failure, ended_at: now })
      .where('id', '=', requestId)
      .where('state', '=', 'open')
      .execute();
  }
  const { project, bucket, versionId, workflowId } = await loadRequest(tx, requestId);
  await record(tx, {
    kind: 'request.ended',
    project,
    bucket,
    versionId,
    subjectId: requestId,
    data: {
      attempt,
      state: outcome.state,
      ...(outcome.failure === undefined ? {} : { failure: outcome.failure }),
    },
    by: system('registry'),
    at: now,
  });
  // A bake that was closed from outside while its release went on has ended nothing itself.
  if (outcome.state !== 'succeeded') {
    const message = outcome.failure?.message ?? `Workflow ${workflowId} is gone.`;
    await endRunningVersion(tx, requestId, attempt, outcome.failure ?? { code: 'cancelled', message });
  }
}

/** A request that did not succeed keeps where it stood: there it is looked for first. */
function stageOfEnd({ state, stage }: RequestOutcome) {
  if (stage !== undefined) return stage.slice(0, 500);
  return state === 'succeeded' ? state : sql<string>`left(${`${state} at: `}::text || stage, 500)`;
}

/** From here on nobody wants its attempt: its host ends Packer and sweeps, and has its slot again. */
async function endRunningVersion(
  tx: Tx,
  requestId: string,
  attempt: number,
  failure: FailureReport,
): Promise<void> {
  const version = await tx
    .selectFrom('version')
    .select('id')
    .where('request_id', '=', requestId)
    .where('attempt', '=', attempt)
    .where('state', '=', 'running')
    .executeTakeFirst();
  if (version === undefined) return;
  await endVersion(tx, version.id, failure.code === 'cancelled' ? 'cancelled' : 'failed', failure);
  await tx
    .updateTable('bake_attempt')
    .set({ state: 'lost', closed_at: await clock(tx) })
    .where('version_id', '=', version.id)
    .where('state', '=', 'current')
    .execute();
}

export async function cancel(tx: Tx, requestId: string, by: Actor): Promise<void> {
  const locked = await lockRequest(tx, requestId);
  const request = await loadRequest(tx, requestId);
  if (!locked.open || request.cancelWanted) return;
  await tx.updateTable('request').set({ cancel_wanted: true }).where('id', '=', requestId).execute();
  const { attempt } = request;
  await record(
    tx,
    {
      kind: 'request.cancel_wanted',
      project: request.project,
      bucket: request.bucket,
      versionId: request.versionId,
      subjectId: requestId,
      data: { attempt },
      by,
      at: await clock(tx),
    },
    (await whoWorksOn(tx, request)).map((one) => ({
      action: 'cancel',
      workflow: request.kind,
      workflowId: one,
      input: { requestId, attempt },
    })),
  );
}

/** Its own workflow, and one that was started by hand under another id and claimed the work. */
async function whoWorksOn(
  tx: Tx,
  { id, attempt, workflowId }: { readonly id: string; readonly attempt: number; readonly workflowId: string },
): Promise<readonly string[]> {
  const holders = await tx
    .selectFrom('claim')
    .select('workflow_id')
    .where('subject', 'in', [claimSubjects.release(id, attempt), claimSubjects.bake(id, attempt)])
    .execute();
  return [...new Set([workflowId, ...holders.map((row) => row.workflow_id)])];
}
