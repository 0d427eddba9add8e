/** Temporal workers of one process: one per task queue, started together, stopped together. */
import type { DataConverter } from '@temporalio/common';
import type { NativeConnection } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';

import { activityInterceptors } from '../activities/interceptors.ts';
import type { Settings } from '../config/settings.ts';
import { untilItWorks } from '../temporal/until-it-works.ts';
import type { Lifetime } from './running.ts';

export interface QueueWorker {
  readonly queue: string;
  readonly activities: object;
  /** Activities at the same time. */
  readonly slots: number;
  /** Activities that all workers of the queue together begin in a second at most; absent: no limit. */
  readonly perSecond?: number;
  /** Present: workflows run here too. */
  readonly workflowBundle?: string;
}

interface Served {
  readonly settings: Settings;
  /** The clients' own: what one writes, the other reads. */
  readonly dataConverter: DataConverter;
}

export async function createQueueWorkers(
  connection: NativeConnection,
  { settings, dataConverter }: Served,
  queues: readonly QueueWorker[],
  { signal, log }: Lifetime,
): Promise<readonly Worker[]> {
  const workers: Worker[] = [];
  for (const { queue, activities, slots, perSecond, workflowBundle } of queues) {
    const create = () =>
      Worker.create({
        connection,
        namespace: settings.temporal.namespace,
        taskQueue: queue,
        activities,
        dataConverter,
        ...(workflowBundle === undefined ? {} : { workflowBundle: { codePath: workflowBundle } }),
        maxConcurrentActivityTaskExecutions: slots,
        ...(perSecond === undefined ? {} : { maxTaskQueueActivitiesPerSecond: perSecond }),
        stickyQueueScheduleToStartTimeout: settings.stickyTimeoutMs,
        maxHeartbeatThrottleInterval: settings.heartbeat.everyMs,
        interceptors: { activity: [...activityInterceptors] },
        // Steps that watch something outlive the worker's end: they stop watching at once and the next worker goes on.
        shutdownGraceTime: 0,
        shutdownForceTime: settings.stopAfterMs,
      });
    workers.push(await untilItWorks(`take work from ${queue}`, create, { signal, log }));
  }
  return workers;
}

/** Calls `ready` when all poll; returns when the signal has aborted and all have ended. When one fails, the others are stopped and its error is thrown. */
export async function runWorkers(workers: readonly Worker[], { signal, ready }: Lifetime): Promise<void> {
  const stop = new AbortController();
  const aborted = AbortSignal.any([signal, stop.signal]);
  const until = new Promise<void>((resolve) => {
    if (aborted.aborted) resolve();
    aborted.addEventListener('abort', () => resolve(), { once: true });
  });
  const runs = workers.map((worker) => worker.runUntil(until).finally(() => stop.abort()));
  ready();
  const ends = await Promise.allSettled(runs);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
