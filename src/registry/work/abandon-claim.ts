/** What a workflow held that was closed from outside: it is freed, and who goes on is woken, in one transaction. */
import { ulid } from 'ulid';
import { system } from '../../domain/actor.ts';
import { workflowIds } from '../../domain/workflow-ids.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { findChannelById } from '../channels/rows.ts';
import { endPromotion } from '../promotions/end-promotion.ts';
import { lockPromotion } from '../promotions/advance.ts';
import { findPromotion } from '../promotions/rows.ts';
import { wakeExpiry } from '../heartbeats/wake.ts';
import { type NewDelivery, record } from '../record.ts';
import { findRecord } from '../revocations/rows.ts';
import { startCascade, wakeRetire, wakeRollBack, wakeSchedule } from '../revocations/wake.ts';
import { identifyAll, type VersionIdentity } from '../version-identity.ts';

/** Who goes on, for the event. */
interface GoesOn {
  readonly project: string;
  readonly bucket: string | null;
  readonly versionId: string | null;
  readonly delivery: NewDelivery;
}

/** False when `workflowId` holds it no more. */
export async function abandonClaim(tx: Tx, subject: string, workflowId: string): Promise<boolean> {
  const freed = await tx
    .deleteFrom('claim')
    .where('subject', '=', subject)
    .where('workflow_id', '=', workflowId)
    .returning('subject')
    .executeTakeFirst();
  if (freed === undefined) return false;
  const next = await whoGoesOn(tx, subject, workflowId);
  if (next === undefined) return true;
  const { delivery, ...where } = next;
  await record(
    tx,
    {
      ...where,
      kind: 'workflow.closed',
      subjectId: null,
      data: { workflowId, goesOn: delivery.workflowId },
      by: system('reaper'),
      at: await clock(tx),
    },
    [delivery],
  );
  return true;
}

/** Undefined for work that only its own caller asks for again: requests, bakes, test launches. */
async function whoGoesOn(tx: Tx, subject: string, workflowId: string): Promise<GoesOn | undefined> {
  const [kind = '', id = '', change = ''] = subject.split(':');
  switch (kind) {
    case 'revocation':
      return ofVersion(tx, id, wakeSchedule);
    case 'retire':
      return ofVersion(tx, id, wakeRetire);
    case 'rollback':
      return (
        (await ofVersion(tx, id, ({ project }) => wakeRollBack(project, { versionId: id }))) ??
        (await ofChannel(tx, id))
      );
    case 'builds':
      return ofVersion(tx, id, ({ project }) => wakeExpiry(project, id));
    case 'cascade':
      return ofRecord(tx, id, change);
    case 'webhook':
      return ofWebhook(tx, id);
    case 'run':
      return ofRunTask(tx, id);
    case 'promotion':
      return ofPromotion(tx, id, workflowId);
    default:
      return undefined;
  }
}

async function ofVersion(
  tx: Tx,
  versionId: string,
  deliveryFor: (version: VersionIdentity) => NewDelivery,
): Promise<GoesOn | undefined> {
  const [version] = await identifyAll(tx, [versionId]);
  if (version === undefined) return undefined;
  const { project, bucket } = version;
  return { project, bucket, versionId, delivery: deliveryFor(version) };
}

async function ofChannel(tx: Tx, channelId: string): Promise<GoesOn | undefined> {
  const channel = await findChannelById(tx, channelId);
  if (channel === undefined) return undefined;
  const { project, bucket } = channel;
  return { project, bucket, versionId: null, delivery: wakeRollBack(project, { channelId }) };
}

/** Its own id was used and is not taken again; which run it continues can be read from the new one. */
async function ofRecord(tx: Tx, recordId: string, change: string): Promise<GoesOn | undefined> {
  const row = await findRecord(tx, recordId);
  if (row === undefined) return undefined;
  return ofVersion(tx, row.version_id, ({ project }) => {
    const first = startCascade(project, recordId, change);
    return { ...first, workflowId: `${first.workflowId}/again-${ulid()}` };
  });
}

/** Nobody else starts it again: a webhook is called for what happened once. */
async function ofWebhook(tx: Tx, deliveryId: string): Promise<GoesOn | undefined> {
  const row = await tx
    .selectFrom('webhook_delivery as d')
    .innerJoin('webhook', 'webhook.id', 'd.webhook_id')
    .innerJoin('project', 'project.id', 'webhook.project_id')
    .where('d.id', '=', deliveryId)
    .where('d.state', '=', 'pending')
    .select('project.name as project')
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const delivery: NewDelivery = {
    action: 'start',
    workflow: 'deliverWebhook',
    workflowId: `${workflowIds.deliverWebhook(row.project, deliveryId)}/again-${ulid()}`,
    input: { deliveryId },
  };
  return { project: row.project, bucket: null, versionId: null, delivery };
}

/** HCP Terraform asks once. */
async function ofRunTask(tx: Tx, runTaskId: string): Promise<GoesOn | undefined> {
  const row = await tx
    .selectFrom('run_task')
    .innerJoin('project', 'project.id', 'run_task.project_id')
    .where('run_task.id', '=', runTaskId)
    .where('state', '=', 'pending')
    .select('project.name as project')
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const delivery: NewDelivery = {
    action: 'start',
    workflow: 'checkRun',
    workflowId: `${workflowIds.checkRun(row.project, runTaskId)}/again-${ulid()}`,
    input: { runTaskId },
  };
  return { project: row.project, bucket: null, versionId: null, delivery };
}

/** Its gates, and what it published, were watched by nobody meanwhile: it ends, and the places go back to what is wanted. */
async function ofPromotion(tx: Tx, promotionId: string, workflowId: string): Promise<GoesOn | undefined> {
  if ((await findPromotion(tx, promotionId)) === undefined) return undefined;
  const { row, locked } = await lockPromotion(tx, promotionId);
  if (row.ended_at === null) {
    const detail = `its workflow ${workflowId} was closed from outside; ask for the promotion again if it is still wanted`;
    await endPromotion(tx, row, locked.channel, {
      state: 'failed',
      detail,
      by: system('reaper'),
      now: locked.now,
      wake: false,
    });
  }
  return ofChannel(tx, row.channel_id);
}
