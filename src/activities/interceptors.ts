import type { ActivityInterceptorsFactory } from '@temporalio/worker';

import { translateFailures } from './failures.ts';

/**
 * Beats for an activity that has a heartbeat time-out and does not beat itself, so that the server notices a dead worker soon and the
 * activity hears of a cancellation. The details of the last beat are kept.
 */
export const beatWhileWorking: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    async execute(input, next) {
      const { heartbeatTimeoutMs } = context.info;
      if (heartbeatTimeoutMs === undefined || heartbeatTimeoutMs === 0) return next(input);
      let details: unknown = context.info.heartbeatDetails;
      const beat = context.heartbeat.bind(context);
      Object.defineProperty(context, 'heartbeat', {
        value: (latest: unknown) => {
          details = latest;
          beat(latest);
        },
      });
      const timer = setInterval(() => beat(details), heartbeatTimeoutMs / 3);
      try {
        return await next(input);
      } finally {
        clearInterval(timer);
      }
    },
  },
});

/** What every worker of ours installs, in this order. */
export const activityInterceptors: readonly ActivityInterceptorsFactory[] = [
  beatWhileWorking,
  translateFailures,
];
