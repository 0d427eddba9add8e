import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';

import { asFailure, toApplicationFailure } from '../../src/activities/failures.ts';
import { activityInterceptors } from '../../src/activities/interceptors.ts';
import { Failure, failureKinds, isFailureCode } from '../../src/domain/failure.ts';
import { quiet } from '../support/bake/world.ts';

const coded = (code: string) => Object.assign(new Error(`went wrong: ${code}`), { code });

describe('activity failures', () => {
  test.each(Object.keys(failureKinds).filter(isFailureCode))(
    '%s is retried as the catalogue says',
    (code) => {
      const { type, message, nonRetryable } = toApplicationFailure(new Failure(code, 'words'), 1);
      expect({ type, message, nonRetryable }).toEqual({
        type: code,
        message: 'words',
        nonRetryable: !failureKinds[code].retryable,
      });
    },
  );

  test('a delay that was given is kept, details too; the cause stays out of history', () => {
    const cause = new Error('token=hunter2');
    const failure = new Failure('rate_limited', 'slow down', {
      retryAfterMs: 1500,
      details: { limit: 5 },
      cause,
    });
    const { nextRetryDelay, details, cause: kept } = toApplicationFailure(failure, 1);
    expect({ nextRetryDelay, details, kept }).toEqual({
      nextRetryDelay: 1500,
      details: [{ limit: 5 }],
      kept: undefined,
    });
  });

  test('a defect is tried some times, not for ever', () => {
    const defect = asFailure(new TypeError('x is undefined'));
    expect(defect.code).toBe('internal');
    expect(toApplicationFailure(defect, 9).nonRetryable).toBe(false);
    expect(toApplicationFailure(defect, 10).nonRetryable).toBe(true);
  });

  test.each([
    ['ECONNREFUSED', 'provider_unavailable'],
    ['ECONNRESET', 'provider_unavailable'],
    ['57P01', 'provider_unavailable'],
    ['08006', 'provider_unavailable'],
    ['40P01', 'provider_unavailable'],
    ['ENOSPC', 'resource_exhausted'],
    ['23505', 'internal'],
    ['ENOENT', 'internal'],
  ])('an error with the code %s is %s', (code, expected) => {
    expect(asFailure(coded(code)).code).toBe(expected);
  });

  test('the interceptors translate, leave cancellations alone, and beat while the work is silent', async () => {
    const environment = new MockActivityEnvironment(
      { heartbeatTimeoutMs: 60, heartbeatDetails: { at: 7 } },
      { interceptors: [...activityInterceptors], logger: quiet },
    );
    const beats: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => beats.push(details));
    await expect(environment.run(slow)).rejects.toMatchObject({ type: 'not_found', nonRetryable: true });
    expect(beats.length).toBeGreaterThan(3);
    expect(new Set(beats.map((beat) => JSON.stringify(beat)))).toEqual(new Set(['{"at":7}']));
    await expect(environment.run(cancelled)).rejects.toBeInstanceOf(CancelledFailure);
  });
});

const slow = async () => {
  await new Promise((resolve) => setTimeout(resolve, 200));
  throw new Failure('not_found', 'no such thing');
};

const cancelled = async () => {
  throw new CancelledFailure('asked');
};
