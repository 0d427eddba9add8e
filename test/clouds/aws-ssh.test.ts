/** Instances with a key pair are reached by SSH, as Packer reaches them, and by nobody else. */
import {
  CreateKeyPairCommand,
  DeleteKeyPairCommand,
  DescribeInstancesCommand,
  DescribeKeyPairsCommand,
  DescribeTagsCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { setTimeout as delay } from 'node:timers/promises';
import ssh2 from 'ssh2';
import { makeSshKeyPair } from '../../src/providers/ssh-key.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startAwsCloud, type AwsCloud } from '../support/clouds/aws.ts';

const region = 'eu-central-1';
let cloud: AwsCloud;
beforeAll(async () => (cloud = await startAwsCloud()));
afterAll(() => cloud.stop());

async function ask(host: string, privateKey: string, command: string): Promise<string> {
  const client = new ssh2.Client();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  client.on('error', reject);
  client.on('ready', () => {
    client.exec(command, (error, stream) => {
      if (error !== undefined) return reject(error);
      let said = '';
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
      stream.on('exit', (code: number) => (said += `exit ${code}`));
      stream.on('close', () => resolve(said));
      return undefined;
    });
  });
  client.connect({ host, port: 2222, username: 'root', privateKey });
  return promise.finally(() => client.end());
}

it('lets the key of its pair in, runs commands in its guest, and is gone with the instance', async () => {
  const ec2 = cloud.ec2(cloud.accounts.owner, region);
  const TagSpecifications = [{ ResourceType: 'key-pair' as const, Tags: [{ Key: 'a', Value: 'b' }] }];
  const pair = await ec2.send(
    new CreateKeyPairCommand({ KeyName: 'mine', KeyType: 'ed25519', TagSpecifications }),
  );
  const ImageId = await cloud.baseImage(region);
  const launched = await ec2.send(
    new RunInstancesCommand({ ImageId, MinCount: 1, MaxCount: 1, KeyName: 'mine' }),
  );
  const InstanceIds = launched.Instances?.flatMap((one) => one.InstanceId ?? []) ?? [];
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds }));
  const address = Reservations?.[0]?.Instances?.[0]?.PublicIpAddress ?? '';
  expect(address).toMatch(/^127\./);
  const key = pair.KeyMaterial ?? '';
  await expect
    .poll(() => ask(address, key, 'cat /etc/os-release; exit 7').catch(String))
    .toMatch(/ID=guest[^]*exit 7$/);
  const stranger = makeSshKeyPair().private;
  await expect(ask(address, stranger, 'true')).rejects.toThrow('authentication methods failed');
  await ec2.send(new TerminateInstancesCommand({ InstanceIds }));
  await delay(100);
  await expect(ask(address, key, 'true')).rejects.toThrow('ECONNREFUSED');

  await ec2.send(new DeleteKeyPairCommand({ KeyPairId: pair.KeyPairId ?? '' }));
  expect((await ec2.send(new DescribeKeyPairsCommand({}))).KeyPairs ?? []).toEqual([]);
  expect(
    (await ec2.send(new DescribeTagsCommand({}))).Tags?.filter(
      ({ ResourceId }) => ResourceId === pair.KeyPairId,
    ),
  ).toEqual([]);
});
