/**
 * Where the replicas of an image version are, by the clock.
 * https://learn.microsoft.com/rest/api/compute/gallery-image-versions/get#replicationstatus
 */
import type { ReplicationStatus } from '@azure/arm-compute';
import type { Cloud } from '../cloud.ts';
import { replicationMs } from '../delays.ts';
import { ArmError } from '../wire.ts';
import type { Wire } from '../wire.ts';

interface Replica {
  readonly startedAt: number;
  readonly takesMs: number;
  readonly fails: boolean;
}

const replicas = Symbol('replicas');

const of = (cloud: Cloud, id: string): Map<string, Replica> =>
  cloud.hidden<Map<string, Replica>>(id, replicas) ?? new Map<string, Replica>();

/** Regions that have a replica keep it, also a failed one, save at home; answers how long the slowest new one takes. */
export function replicate(cloud: Cloud, id: string, regions: readonly string[], home: string): number {
  const now = Date.now();
  const kept = of(cloud, id);
  const wanted = new Map(
    regions.map((region) => {
      const present = kept.get(region);
      const fresh = {
        startedAt: now,
        takesMs: replicationMs(cloud.delays, region),
        fails: cloud.delays.replicationFails.includes(region),
      };
      return [region, present === undefined || (present.fails && region === home) ? fresh : present] as const;
    }),
  );
  cloud.hide(id, replicas, wanted);
  return Math.max(
    cloud.delays.write,
    ...[...wanted.values()].map((one) => one.startedAt + one.takesMs - now),
  );
}

type State = 'Replicating' | 'Completed' | 'Failed';

function state(replica: Replica): State {
  if (Date.now() < replica.startedAt + replica.takesMs) return 'Replicating';
  return replica.fails ? 'Failed' : 'Completed';
}

export function isIn(cloud: Cloud, id: string, region: string): boolean {
  const replica = of(cloud, id).get(region);
  return replica !== undefined && state(replica) === 'Completed';
}

export function replicationStatus(cloud: Cloud, id: string): Wire<ReplicationStatus> {
  const summary = [...of(cloud, id)].map(([region, replica]) => {
    const progress = Math.floor(((Date.now() - replica.startedAt) / Math.max(1, replica.takesMs)) * 100);
    return {
      region,
      state: state(replica),
      progress: Math.min(100, Math.max(0, progress)),
      ...(state(replica) === 'Failed' && { details: `Replication to region '${region}' failed.` }),
    };
  });
  const any = (wanted: State): boolean => summary.some((one) => one.state === wanted);
  const aggregatedState = any('Replicating') ? 'InProgress' : any('Failed') ? 'Failed' : 'Completed';
  return { aggregatedState, summary };
}

export function replicationSucceeded(cloud: Cloud, id: string): void {
  const failed = [...of(cloud, id)].filter(([, replica]) => replica.fails).map(([region]) => region);
  if (failed.length > 0)
    throw new ArmError(
      409,
      'ReplicationJobsNotCompleted',
      `The replication of the image version '${id}' to the regions '${failed.join(', ')}' did not complete.`,
    );
}
