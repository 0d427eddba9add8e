import type { Actor } from './actor.ts';

export type WorkflowName =
  | 'release'
  | 'bake'
  | 'testLaunch'
  | 'promote'
  | 'scheduleRevocation'
  | 'cascade'
  | 'rollBackChannels'
  | 'retire'
  | 'deliverWebhook'
  | 'checkRun'
  | 'expireBuilds';

export type EventKind =
  | 'line.applied'
  | 'bucket.created'
  | 'bucket.described'
  | 'request.accepted'
  | 'request.cancel_wanted'
  | 'request.ended'
  | 'version.opened'
  | 'version.completed'
  | 'version.failed'
  | 'version.cancelled'
  | 'build.opened'
  | 'build.started'
  | 'build.done'
  | 'build.failed'
  | 'build.cancelled'
  | 'build.expired'
  | 'build.changed'
  | 'artifact.tested'
  | 'artifact.copied'
  | 'channel.assigned'
  | 'channel.created'
  | 'channel.changed'
  | 'channel.deleted'
  | 'version.deleted'
  | 'build.deleted'
  | 'bucket.deleted'
  | 'promotion.requested'
  | 'promotion.approved'
  | 'promotion.ended'
  | 'revocation.scheduled'
  | 'revocation.rescheduled'
  | 'revocation.lifted'
  | 'revocation.effective'
  | 'exemption.granted'
  | 'exemption.ended'
  | 'receipt.recorded'
  | 'workflow.closed'
  | 'project.created'
  | 'registry.changed'
  | 'run_task.received'
  | 'registry.run_task_key_replaced'
  | 'principal.created'
  | 'principal.roles_set'
  | 'principal.rotated'
  | 'principal.revoked'
  | 'webhook.created'
  | 'webhook.updated'
  | 'webhook.deleted'
  | 'enforced_block.created'
  | 'enforced_block.updated'
  | 'enforced_block.deleted'
  | 'enforced_block.linked'
  | 'sbom.uploaded'
  | 'vulnerabilities.imported';

/** An immutable line of the audit trail. A wake-up, never an order. */
export interface RegistryEvent {
  readonly id: string;
  /** Grows with commit order closely enough to page by. */
  readonly sequence: number;
  readonly kind: EventKind;
  readonly project: string;
  readonly bucket: string | null;
  readonly versionId: string | null;
  readonly subjectId: string | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly by: Actor;
  readonly at: string;
}

/** A row of the outbox: start, wake or cancel one workflow. Delivered at least once, in any order. */
export interface Delivery {
  readonly id: string;
  readonly eventId: string;
  /** `start`: USE_EXISTING + REJECT_DUPLICATE. `wake`: signal with start, default reuse. */
  readonly action: 'start' | 'wake' | 'cancel';
  readonly workflow: WorkflowName;
  readonly workflowId: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly attempts: number;
}
