/** What a step of `aws-faults.test.ts` is: it prepares what it needs, then acts. */
import type { ImageProvider } from '../../src/providers/provider.ts';
import type { AwsCloud } from '../support/clouds/aws.ts';

/** What a step begins with. */
export interface World {
  readonly cloud: AwsCloud;
  /** Makes what the step needs: has credentials already and meets no fault. */
  readonly ready: ImageProvider;
  /** The one that is tried; fresh, so that it asks for its credentials too. */
  readonly tried: ImageProvider;
}

export type Retried = (act: () => Promise<unknown>) => Promise<unknown>;

/** Answers what must be the same whatever happened on the way. */
export type Step = (world: World, beforeAct: () => Promise<void>, retried: Retried) => Promise<unknown>;

export const step =
  <T>(prepare: (world: World) => Promise<T>, act: (world: World, prepared: T) => Promise<unknown>): Step =>
  async (world, beforeAct, retried) => {
    const prepared = await prepare(world);
    await beforeAct();
    return retried(() => act(world, prepared));
  };
