import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { codeOf, ending, isCancelled } from '../../src/workflows/failing.ts';
import * as profiles from '../../src/workflows/options.ts';

const onHost = profiles.onHost('host', { hostAwayMs: 1_000, heartbeatMs: 1_000, graceMs: 1_000 });
const { quick, outside, cloudCall, longWork, undoing } = profiles;

describe('a step that is cancelled', () => {
  // What is not said is TRY_CANCEL: the undo would run beside the act that it takes back.
  it.each(Object.entries({ quick, outside, cloudCall, longWork, undoing, onHost }))(
    'is waited for until it has ended: %s',
    (_, profile) => {
      expect(profile.cancellationType).toBe('WAIT_CANCELLATION_COMPLETED');
    },
  );

  it('and fails then is a cancellation, not a failure; one that is refused for good is a failure', () => {
    const cause = ApplicationFailure.create({ type: 'provider_unavailable', message: 'away' });
    const failed = (retryState: 'CANCEL_REQUESTED' | 'NON_RETRYABLE_FAILURE') =>
      new ActivityFailure('it failed', 'shareImage', '1', retryState, undefined, cause);

    expect(isCancelled(failed('CANCEL_REQUESTED'))).toBe(true);
    expect(codeOf(failed('CANCEL_REQUESTED'))).toBe('cancelled');
    expect(ending(failed('CANCEL_REQUESTED')).name).toBe('CancelledFailure');
    expect(codeOf(failed('NON_RETRYABLE_FAILURE'))).toBe('provider_unavailable');
  });
});
