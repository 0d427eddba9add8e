/** The AWS test cloud against the AWS documentation: who calls, what is refused, and the switchboard's faults. */
import {
  CreateImageCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  EC2Client,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  type AssumeRoleCommandInput,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { awsAccounts, startAwsCloud, type AwsCloud } from '../support/clouds/aws.ts';

const region = 'eu-central-1';

let cloud: AwsCloud;
let base: string;
beforeAll(async () => {
  cloud = await startAwsCloud({ externalIds: { [awsAccounts.secondShare]: 'agreed' } });
});
afterAll(() => cloud.stop());
beforeEach(async () => {
  await cloud.reset();
  base = await cloud.baseImage(region);
});

const ec2 = () => cloud.ec2(awsAccounts.owner, region);
const launch = () => ec2().send(new RunInstancesCommand({ ImageId: base, MinCount: 1, MaxCount: 1 }));
const look = () => ec2().send(new DescribeImagesCommand({ ImageIds: [base] }));
const refusal = (name: string, status: number) =>
  expect.objectContaining({ name, $metadata: expect.objectContaining({ httpStatusCode: status }) });

async function assume(account: string, more: Partial<AssumeRoleCommandInput> = {}): Promise<EC2Client> {
  const { Credentials: given } = await cloud
    .sts()
    .send(new AssumeRoleCommand({ RoleArn: cloud.roleArn(account), RoleSessionName: 'tests', ...more }));
  const credentials = {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  };
  return new EC2Client({ endpoint: cloud.endpoint, region, credentials, maxAttempts: 1 });
}

describe('accounts', () => {
  it('are those of the role that was assumed (API_AssumeRole)', async () => {
    const inOther = await assume(awsAccounts.firstShare);
    await inOther.send(new DescribeImagesCommand({ Owners: ['self'] }));

    expect((await cloud.calls()).at(-1)).toMatchObject({
      service: 'ec2',
      action: 'DescribeImages',
      account: awsAccounts.firstShare,
      region,
      answer: 'done',
    });
    expect(await cloud.sts().send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: awsAccounts.owner,
    });
  });

  it('refuse without the external id (id_roles_common-scenarios_third-party), and a role that is not there', async () => {
    await expect(assume(awsAccounts.secondShare)).rejects.toEqual(refusal('AccessDenied', 403));
    await expect(assume(awsAccounts.secondShare, { ExternalId: 'wrong' })).rejects.toThrow('sts:AssumeRole');
    await expect(assume('999999999999')).rejects.toThrow('sts:AssumeRole');

    expect(await assume(awsAccounts.secondShare, { ExternalId: 'agreed' })).toBeDefined();
  });

  it('hold a session for as long as was asked (API_AssumeRole: DurationSeconds)', async () => {
    const inOther = await assume(awsAccounts.firstShare, { DurationSeconds: 900 });
    await cloud.elapse(890_000);
    await inOther.send(new DescribeImagesCommand({ Owners: ['self'] }));
    await cloud.elapse(20_000);

    await expect(inOther.send(new DescribeImagesCommand({}))).rejects.toEqual(refusal('RequestExpired', 400));
    await expect(assume(awsAccounts.firstShare, { DurationSeconds: 60 })).rejects.toEqual(
      refusal('ValidationError', 400),
    );
  });

  it('refuse a session that is over, and keys they do not know (errors-overview: RequestExpired, AuthFailure)', async () => {
    const inOther = await assume(awsAccounts.firstShare);
    await cloud.expireSessions();
    await expect(inOther.send(new DescribeImagesCommand({}))).rejects.toEqual(refusal('RequestExpired', 400));
    const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'none' };
    const stranger = new EC2Client({ endpoint: cloud.endpoint, region, credentials });

    await expect(stranger.send(new DescribeImagesCommand({}))).rejects.toEqual(refusal('AuthFailure', 401));
  });
});

describe('faults', () => {
  it('throttle so many calls, after so many (ec2-api-throttling)', async () => {
    await cloud.fault({ action: 'DescribeImages', answer: 'throttled', times: 2, after: 1 });
    await look();
    await expect(look()).rejects.toEqual(refusal('RequestLimitExceeded', 503));
    await expect(look()).rejects.toEqual(refusal('RequestLimitExceeded', 503));
    await look();

    expect((await cloud.calls()).map((call) => call.answer)).toEqual([
      'done',
      'throttled',
      'throttled',
      'done',
    ]);
  });

  it('are in the protocol of each service (CommonErrors)', async () => {
    await cloud.fault({ action: '*', answer: 'throttled' });
    const ssm = cloud.ssm(awsAccounts.owner, region);
    await expect(ssm.send(new GetParameterCommand({ Name: 'x' }))).rejects.toEqual(
      refusal('ThrottlingException', 400),
    );
    await expect(cloud.sts().send(new GetCallerIdentityCommand({}))).rejects.toEqual(
      refusal('Throttling', 400),
    );
    await cloud.clearFaults();
    await cloud.fault({ action: 'GetParameter', answer: 'access-denied' });

    await expect(ssm.send(new GetParameterCommand({ Name: 'x' }))).rejects.toEqual(
      expect.objectContaining({
        name: 'AccessDeniedException',
        message: expect.stringContaining('ssm:GetParameter'),
      }),
    );
  });

  it('deny with the action that is missing, and fail inside (errors-overview)', async () => {
    await cloud.fault({ action: 'RunInstances', answer: 'access-denied', times: 1 });
    await cloud.fault({ action: 'RunInstances', answer: 'server-error', times: 1 });

    await expect(launch()).rejects.toThrow('ec2:RunInstances');
    await expect(launch()).rejects.toEqual(refusal('InternalError', 500));
    expect((await launch()).Instances).toHaveLength(1);
  });

  it('lose the answer after the effect', async () => {
    await cloud.fault({ action: 'RunInstances', answer: 'timeout-after-effect', times: 1 });

    await expect(launch()).rejects.toThrow(/socket hang up|ECONNRESET|other side closed/);
    const found = await ec2().send(new DescribeInstancesCommand({}));
    expect(found.Reservations).toHaveLength(1);
  });

  it('do not find what is asked for, by its kind', async () => {
    await cloud.fault({ action: '*', answer: 'not-found' });

    await expect(look()).rejects.toThrow(base);
    await expect(ec2().send(new CreateImageCommand({ InstanceId: 'i-1', Name: 'x' }))).rejects.toEqual(
      refusal('InvalidInstanceID.NotFound', 400),
    );
  });

  it('are only those of the account and region that were named', async () => {
    await cloud.fault({ action: '*', answer: 'throttled', account: awsAccounts.firstShare });
    await cloud.fault({ action: '*', answer: 'throttled', region: 'us-east-1' });
    await look();

    await expect(cloud.sts().send(new GetCallerIdentityCommand({}))).rejects.toEqual(
      refusal('Throttling', 400),
    );
  });
});
