/** How `bake` and `release` come to their request: the relay names one, a person describes one. */
import { isCancellation, proxyActivities, workflowInfo } from '@temporalio/workflow';

import type { createRequestActivities } from '../activities/requests.ts';
import type { BakeRequest, RequestKind } from '../domain/version.ts';
import type { WorkflowInputs } from '../domain/workflow-ids.ts';
import { failing } from './failing.ts';
import { defaultProject, formOf } from './input.ts';
import { outside, quick } from './options.ts';
import type { Showing } from './showing.ts';

/** `key`: a repeat with the same key is the same request; by default every start is a new one. */
export interface RequestForm {
  readonly bucket: string;
  readonly project?: string;
  readonly key?: string;
  readonly variables?: Readonly<Record<string, string>>;
}

export type RequestInput = WorkflowInputs['bake'] | RequestForm;

type RequestActivities = ReturnType<typeof createRequestActivities>;
const { getRequest, isCancelWanted, setStage } = proxyActivities<RequestActivities>(quick);
const { acceptRequest } = proxyActivities<RequestActivities>(outside);

export async function requestFor(kind: RequestKind, input: RequestInput): Promise<BakeRequest> {
  const ask = readInput(kind, input);
  const request = await ask();
  if (request.state === 'open' || request.state === 'succeeded') return request;
  throw failing(
    'illegal_state',
    `${kind}: request ${request.id} is ${request.state}; ask for it again with the key ${request.key}`,
  );
}

/** A cancellation may have been asked for before there was a run that could be told: read again by the one that holds the work. */
export async function refuseCancelled({ kind, id, attempt }: BakeRequest): Promise<void> {
  if (await isCancelWanted(id, attempt))
    throw failing('cancelled', `${kind} ${id} was cancelled before it began`);
}

/** Enters a phase: shown here, and as the request's stage for those who wait for it. A stage that is not written does no harm. */
export function stagesOf({ id, attempt }: BakeRequest, shown: Showing) {
  let written: string | undefined;
  return async (phase: string, text: string): Promise<void> => {
    shown.phase(phase, text);
    if (text === written) return;
    try {
      await setStage(id, attempt, text);
      written = text;
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
  };
}

function readInput(kind: RequestKind, input: RequestInput): () => Promise<BakeRequest> {
  const form = formOf(kind, input, '{"bucket":"base"}');
  form.only('requestId', 'attempt', 'bucket', 'project', 'key', 'variables');
  if (form.has('requestId')) {
    const [requestId, attempt] = [form.text('requestId'), form.count('attempt')];
    return async () => {
      const request = await getRequest(requestId);
      if (request.attempt === attempt) return request;
      const message = `${kind}: request ${requestId} is at its attempt ${String(request.attempt)}, not ${String(attempt)}`;
      throw failing('superseded', message);
    };
  }
  const { workflowId, runId } = workflowInfo();
  const asked = {
    kind,
    bucket: form.text('bucket'),
    project: form.optionalText('project') ?? defaultProject,
    key: form.optionalText('key') ?? `by hand: ${runId}`,
    variables: form.texts('variables'),
    heldBy: workflowId,
  };
  return () => acceptRequest(asked);
}
