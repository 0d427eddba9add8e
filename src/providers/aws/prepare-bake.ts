/** What a bake in AWS needs before Packer starts: credentials that outlive it, and a key pair whose name can be looked for. */
import { Failure } from '../../domain/failure.ts';
import type { BakePreparation, BakeToPrepare } from '../provider.ts';
import type { Cloud } from './cloud.ts';
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
  const credentials = await cloud
    .credentialsOf(account)
    .forAtLeast(bake.timeLimitMs + graceMs, `bakehouse-${attemptId}`);
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
