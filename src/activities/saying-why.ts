/** What a step of a bake waits for, told at its request: whoever waits for that one does not look into Temporal. */
import { failureKinds, isFailure } from '../domain/failure.ts';
import type { Requests } from '../registry/contract/requests.ts';

export interface AttemptAsked {
  readonly requestId: string | null;
  readonly attempt: number;
}

/** Passes on what the work throws; the stage is its message where the step is tried again, and the next step writes another one. */
export async function sayingWhy<T>(
  requests: Pick<Requests, 'setStage'>,
  { requestId, attempt }: AttemptAsked,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (requestId !== null && isFailure(error) && failureKinds[error.code].retryable) {
      // For people only: a stage that is not written does no harm.
      await requests.setStage(requestId, attempt, `waiting: ${error.message}`).catch(() => undefined);
    }
    throw error;
  }
}
