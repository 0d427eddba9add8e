/** Ending machines by the mark they carry. */
import { setTimeout as delay } from 'node:timers/promises';
import { paginateDescribeInstances, TerminateInstancesCommand, type Instance } from '@aws-sdk/client-ec2';
import { Failure } from '../../domain/failure.ts';
import type { Target } from '../../domain/target.ts';
import { clientToken } from './client-token.ts';
import type { Cloud, Place } from './cloud.ts';
import { isNotFound } from './errors.ts';
import { launchTag } from './tags.ts';

/** On its way out there is no way back. */
export const isEnding = ({ State }: Instance): boolean =>
  State?.Name === 'terminated' || State?.Name === 'shutting-down';

/** Terminated ones are seen for about an hour, so to find nothing at all means that nothing was made, or that it is not seen yet. */
export async function terminate(cloud: Cloud, launchId: string, target: Target): Promise<void> {
  const place = cloud.at(target);
  const until = performance.now() + Math.max(cloud.pace.neverMadeMs, cloud.pace.visibleMs);
  for (;;) {
    const found = await launchedAs(place, launchId);
    const ids = found.filter((one) => !isEnding(one)).flatMap(({ InstanceId }) => InstanceId ?? []);
    if (ids.length > 0) return terminateInstances(place, ids);
    if (found.length > 0 || performance.now() > until) return;
    await delay(Math.min(cloud.pace.shortPollMs, 1_000));
  }
}

/** Tags may be seen later than the instance that they are on. */
async function launchedAs(place: Place, launchId: string): Promise<readonly Instance[]> {
  const tagged = await instancesBy(place, `tag:${launchTag}`, [launchId]);
  return tagged.length > 0 ? tagged : instancesBy(place, 'client-token', [clientToken(launchId)]);
}

export async function instancesBy(
  { ec2 }: Place,
  filter: string,
  values: readonly string[],
): Promise<readonly Instance[]> {
  const found: Instance[] = [];
  const input = { Filters: [{ Name: filter, Values: [...values] }] };
  for await (const page of paginateDescribeInstances({ client: ec2, pageSize: 500 }, input)) {
    found.push(...(page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances));
  }
  return found;
}

/** One that was seen a moment ago and is not found is asked for again: then it is ended, or is not seen any more. */
export async function terminateInstances({ ec2 }: Place, ids: readonly string[]): Promise<void> {
  try {
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [...ids] }));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new Failure('cleanup_incomplete', `${error.message}; looked for again`, { cause: error });
  }
}
