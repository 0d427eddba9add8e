/** What a bake in AWS needs before Packer starts: credentials that outlive it, and a key pair whose name can be looked for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';
import type { Target } from '../../domain/target.ts';
import type { BakePreparation, BakeToPrepare } from '../provider.ts';
import type { Cloud } from './cloud.ts';
import type { AwsCredentials } from './options.ts';
import { keyNameOf } from './packer-leftovers.ts';

/** Packer ends what it began after its time limit. */
const graceMs = 10 * 60_000;

/**
 * Packer bakes with the credentials of the first target's account. The name of its temporary key is the comment of the public half, as
 * cloud-init writes it: found in the image, it shows that the key was left there.
 */
export async function prepareBake(cloud: Cloud, bake: BakeToPrepare): Promise<BakePreparation> {
  const [first] = bake.targets;
  if (first === undefined) throw new Failure('invalid_input', 'aws: a bake needs a target');
  const { account } = cloud.at(first);
  const { attemptId } = bake.mark;
  const credentials = await cloud.credentialsOf(account).forBake({
    lifetimeMs: bake.timeLimitMs + graceMs,
    sessionName: `bakehouse-${attemptId}`,
    leased: bake.leased,
  });
  if (account.credentials.kind === 'leased') await untilKnown(cloud, first, credentials);
  const keyName = keyNameOf(attemptId);
  return {
    variables: {
      temporary_key_pair_name: keyName,
      // Packer before 1.7 knows no AWS_ENDPOINT_URL: its template says custom_endpoint_ec2.
      ...(cloud.endpoint === undefined ? {} : { ec2_endpoint: cloud.endpoint }),
    },
    environment: {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      ...(credentials.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: credentials.sessionToken }),
      AWS_REGION: first.region,
      AWS_DEFAULT_REGION: first.region,
      // Never the bake host's own role by accident.
      AWS_EC2_METADATA_DISABLED: 'true',
      ...(cloud.endpoint === undefined ? {} : { AWS_ENDPOINT_URL: cloud.endpoint }),
    },
    openEnvironment: ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_EC2_METADATA_DISABLED', 'AWS_ENDPOINT_URL'],
    mustBeGone: [keyName],
  };
}

/** A lease may be a user that was just made, and Packer gives up at the first call that is refused. */
async function untilKnown(cloud: Cloud, target: Target, credentials: AwsCredentials): Promise<void> {
  if (credentials.sessionToken !== undefined) return;
  const until = performance.now() + cloud.pace.visibleMs;
  while (!(await cloud.knows(target, credentials))) {
    if (performance.now() > until) {
      throw new Failure(
        'provider_unavailable',
        `aws: ${target.account}/${target.region}: the key that was leased for the bake is not known to AWS after ${Math.ceil(cloud.pace.visibleMs / 1_000)} s; another one is leased. A role of type assumed_role gives keys that are known at once`,
      );
    }
    await sleep(cloud.pace.shortPollMs);
  }
}
