/** Steps of a provider as Temporal would run them: a retryable failure is tried again, with what the last try had reported. */
import { setTimeout as delay } from 'node:timers/promises';
import { failureKinds, isFailure } from '../../src/domain/failure.ts';
import type { BakeMark, CallContext, CollectInput, PackerArtifact } from '../../src/providers/provider.ts';
import type { Target } from '../../src/domain/target.ts';
import type { LoggedRequest } from '../clouds/azure/cloud.ts';

export interface Tried<T> {
  readonly value: T;
  readonly failures: readonly string[];
}

export async function asTemporalDoes<T>(work: (context: CallContext) => Promise<T>): Promise<Tried<T>> {
  const failures: string[] = [];
  let lastBeat: unknown;
  for (;;) {
    const context: CallContext = {
      signal: AbortSignal.timeout(60_000),
      lastBeat,
      beat(progress) {
        if (progress !== undefined) lastBeat = JSON.parse(JSON.stringify(progress));
      },
    };
    try {
      return { value: await work(context), failures };
    } catch (error) {
      if (!isFailure(error) || !failureKinds[error.code].retryable || failures.length === 12) throw error;
      failures.push(error.code);
      await delay(error.retryAfterMs ?? 30);
    }
  }
}

let number = 0;

export function freshMark(name: string): BakeMark {
  number += 1;
  return {
    bakeId: `bake-${name}-${number}`,
    attemptId: `attempt-${name}-${number}`,
    imageName: `${name}-${number}`,
  };
}

export function collectInput(mark: BakeMark, artifact: PackerArtifact, target: Target): CollectInput {
  return { mark, artifact, targets: [target], stillCurrent: () => Promise.resolve(true) };
}

export const puts = (requests: readonly LoggedRequest[], type = 'galleries/images/versions'): number =>
  requests.filter(({ operation, status }) => operation === `PUT ${type}` && status < 300).length;
