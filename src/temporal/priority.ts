import type { Priority } from '@temporalio/common';

import type { WorkflowInputs } from '../domain/workflow-ids.ts';

/**
 * Who goes first where many wait for a worker; 3 is Temporal's middle. A date that comes, and then what consumers are given, must not wait
 * behind the enforcement of a thousand earlier ones. And what was begun is ended before more of its kind is begun: a thousand cascades that
 * all hand over first would leave every image launchable until the last of them has.
 */
const keys: Partial<Readonly<Record<keyof WorkflowInputs, number>>> = {
  scheduleRevocation: 1,
  rollBackChannels: 2,
  cascade: 4,
  deliverWebhook: 5,
};

const isKnown = (workflow: string): workflow is keyof WorkflowInputs => Object.hasOwn(keys, workflow);

/** Its activities inherit it. */
export function priorityOf(workflow: string): Priority {
  return { priorityKey: (isKnown(workflow) ? keys[workflow] : undefined) ?? 3 };
}
