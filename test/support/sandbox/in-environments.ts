import { MockActivityEnvironment } from '@temporalio/testing';
import { quiet } from '../bake/world.ts';
import type { Fakes } from '../sandbox.ts';

/** Each activity in an environment of its own, as a worker gives it. */
export function inEnvironments(activities: object): Fakes {
  let tries = 0;
  const running = Object.entries(activities).map(([name, activity]) => {
    const run = (...args: readonly unknown[]) =>
      new MockActivityEnvironment({ activityId: String(++tries) }, { logger: quiet }).run(
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- arguments come from JSON, as from a server
        activity as (...args: readonly unknown[]) => Promise<unknown>,
        ...args,
      );
    return [name, run] as const;
  });
  return { activities: Object.fromEntries(running) };
}
