/**
 * Workflow ids and claim subjects: in one place, because the registry writes them into deliveries, workflows claim under them and
 * operators read them. Ids carry the project and ULIDs.
 */
export const workflowIds = {
  release: (project: string, requestId: string, attempt: number) =>
    `release/${project}/${requestId}/${attempt}`,
  bake: (project: string, requestId: string, attempt: number) => `bake/${project}/${requestId}/${attempt}`,
  testLaunch: (project: string, artifactId: string) => `test/${project}/${artifactId}`,
  promote: (project: string, promotionId: string) => `promote/${project}/${promotionId}`,
  scheduleRevocation: (project: string, versionId: string) => `revocation/${project}/${versionId}`,
  /** `change`: `effective`, or what came later (`lifted`), so that each is started once. */
  cascade: (project: string, recordId: string, change: string) => `cascade/${project}/${recordId}/${change}`,
  /** `subject`: a version id, or a channel id. */
  rollBackChannels: (project: string, subject: string) => `rollback/${project}/${subject}`,
  retire: (project: string, versionId: string) => `retire/${project}/${versionId}`,
  deliverWebhook: (project: string, deliveryId: string) => `webhook/${project}/${deliveryId}`,
  checkRun: (project: string, runTaskId: string) => `run/${project}/${runTaskId}`,
  expireBuilds: (project: string, versionId: string) => `builds/${project}/${versionId}`,
} as const;

export const claimSubjects = {
  release: (requestId: string, attempt: number) => `request:${requestId}:${attempt}`,
  bake: (requestId: string, attempt: number) => `bake:${requestId}:${attempt}`,
  testLaunch: (artifactId: string) => `test:${artifactId}`,
  promote: (promotionId: string) => `promotion:${promotionId}`,
  scheduleRevocation: (versionId: string) => `revocation:${versionId}`,
  cascade: (recordId: string, change: string) => `cascade:${recordId}:${change}`,
  rollBackChannels: (subject: string) => `rollback:${subject}`,
  retire: (versionId: string) => `retire:${versionId}`,
  deliverWebhook: (deliveryId: string) => `webhook:${deliveryId}`,
  checkRun: (runTaskId: string) => `run:${runTaskId}`,
  expireBuilds: (versionId: string) => `builds:${versionId}`,
} as const;

/** What the relay starts a workflow with. People may type a friendlier form, documented at each workflow. */
export interface WorkflowInputs {
  readonly release: { readonly requestId: string; readonly attempt: number };
  readonly bake: { readonly requestId: string; readonly attempt: number };
  readonly testLaunch: { readonly artifactId: string };
  readonly promote: { readonly promotionId: string };
  readonly scheduleRevocation: { readonly versionId: string };
  readonly cascade: { readonly recordId: string; readonly change: string };
  readonly rollBackChannels: { readonly versionId: string } | { readonly channelId: string };
  readonly retire: { readonly versionId: string };
  readonly deliverWebhook: { readonly deliveryId: string };
  readonly checkRun: { readonly runTaskId: string };
  readonly expireBuilds: { readonly versionId: string };
}
