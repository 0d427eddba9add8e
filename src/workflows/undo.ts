import { CancellationScope } from '@temporalio/workflow';

import { reportOf } from './failing.ts';

interface Step {
  readonly what: string;
  readonly act: () => Promise<unknown>;
}

/**
 * What must be taken back when a workflow fails or is cancelled. Register *before* the act: an act may take effect and its answer
 * be lost. So an undo may run twice and may find nothing. It calls activities with the profile `undoing`.
 */
export class Undo {
  readonly #steps: Step[] = [];

  add(what: string, act: () => Promise<unknown>): void {
    this.#steps.push({ what, act });
  }

  /** The acts became final: nothing is to be taken back any more. */
  keep(): void {
    this.#steps.length = 0;
  }

  /**
   * Newest first; one that fails does not hold the others. No cancellation stops it. Answers what could not be taken back, to be
   * shown as `cleanup_incomplete`.
   */
  async unwind(): Promise<readonly string[]> {
    const left: string[] = [];
    await CancellationScope.nonCancellable(async () => {
      for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
        try {
          await step.act();
        } catch (error) {
          left.push(`${step.what}: ${reportOf(error).message}`);
        }
      }
    });
    return left;
  }
}
