import { condition, setHandler } from '@temporalio/workflow';

import { wake } from './messages.ts';

/**
 * Counts the wake-ups of a run. Who reads the registry notes the count before; as long as it stays the same, what was read is all there
 * is to know.
 */
export class Attention {
  #count = 0;

  /** Takes the signal `wake` from now on. */
  constructor() {
    setHandler(wake, () => this.call(), { description: 'Reads the registry again.' });
  }

  get count(): number {
    return this.#count;
  }

  call(): void {
    this.#count++;
  }

  /** Sleeps until the time is over, or somebody called since `seen`, or `until` holds. */
  async rest(seen: number, ms: number, until: () => boolean = () => false): Promise<void> {
    await condition(() => this.#count !== seen || until(), ms);
  }
}
