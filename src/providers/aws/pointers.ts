/** Channels as parameters of the Systems Manager parameter store, which launch templates and CloudFormation read by themselves. */
import { setTimeout as delay } from 'node:timers/promises';
import { DeleteParameterCommand, paginateDescribeParameters, PutParameterCommand } from '@aws-sdk/client-ssm';
import { Failure } from '../../domain/failure.ts';
import type { PointerRef, Pointers } from '../provider.ts';
import type { Cloud, Place } from './cloud.ts';
import { awsCode, unlessMissing } from './errors.ts';
import { readParameter } from './parameters.ts';

/** Asked in vain so long, the image is not usable in that account. */
const validatedMs = 8_000;

/** On every parameter of ours: by its description somebody else's is told apart. */
const ours = 'Bakehouse: ';

export function pointers(cloud: Cloud): Pointers {
  const placed = ({ target, bucket, channel }: PointerRef) => {
    const place = cloud.at(target);
    return { place, name: `${place.account.parameterPrefix ?? '/bakehouse'}/${bucket}/${channel}` };
  };
  return {
    read: (pointer) => {
      const { place, name } = placed(pointer);
      return readParameter(place, name);
    },

    /**
     * A parameter of type `aws:ec2:image` is only written once Systems Manager has seen that the image is available to the account. Source:
     * Systems Manager user guide, "Native parameter support for Amazon Machine Image IDs".
     */
    async write(pointer, imageId) {
      const { place, name } = placed(pointer);
      const before = await readParameter(place, name);
      if (before !== undefined && before !== imageId) await checkOurs(place, name);
      if (imageId === undefined) {
        if (before === undefined) return undefined;
        await unlessMissing(place.ssm.send(new DeleteParameterCommand({ Name: name })), () => undefined);
        const left = await readParameter(place, name);
        if (left === undefined) return undefined;
        throw new Failure('provider_unavailable', `aws: ${name} still holds ${left} after it was deleted`);
      }
      if (before === imageId) return imageId;
      const request = new PutParameterCommand({
        Name: name,
        Value: imageId,
        Type: 'String',
        DataType: 'aws:ec2:image',
        Overwrite: before !== undefined,
        Description: `${ours}${pointer.bucket}, channel ${pointer.channel}`,
      });
      // Overwriting one that was just made, or just deleted.
      await unlessMissing(place.ssm.send(request), () => notYet(name)).catch((error: unknown) => {
        // Made since it was read: whose it is, the next try sees.
        if (awsCode(error) === 'ParameterAlreadyExists') notYet(name);
        throw error;
      });
      const giveUpAt = performance.now() + validatedMs;
      for (;;) {
        const value = await readParameter(place, name);
        if (value === imageId) return value;
        if (performance.now() > giveUpAt) {
          throw new Failure(
            'provider_unavailable',
            `aws: ${name} still holds ${value ?? 'nothing'} after ${imageId} was written: Systems Manager takes only an image that is available to account ${pointer.target.account} in ${pointer.target.region}; share it with the account, or enable it`,
          );
        }
        await delay(Math.min(cloud.pace.shortPollMs, 1_000));
      }
    },
  };
}

const notYet = (name: string): never => {
  throw new Failure('provider_unavailable', `aws: ${name} is not known everywhere yet`);
};

async function checkOurs({ ssm, account }: Place, name: string): Promise<void> {
  const input = { ParameterFilters: [{ Key: 'Name', Option: 'Equals', Values: [name] }] };
  for await (const page of paginateDescribeParameters({ client: ssm }, input)) {
    for (const { Name, Description = '' } of page.Parameters ?? []) {
      if (Name !== name) continue;
      if (Description.startsWith(ours)) return;
      throw new Failure(
        'already_exists',
        `aws: the parameter ${name} in account ${account.id} is somebody else's (its description does not begin with "${ours.trim()}"), and is left as it is: delete it, or give the account another parameterPrefix`,
      );
    }
  }
  notYet(name);
}
