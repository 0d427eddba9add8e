/** The AWS test cloud against the AWS documentation: instances, what runs in them, and parameters that name images. */
import {
  CreateLaunchTemplateCommand,
  DescribeInstancesCommand,
  DescribeInstanceStatusCommand,
  DescribeLaunchTemplateVersionsCommand,
  GetConsoleOutputCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
  type RunInstancesCommandInput,
} from '@aws-sdk/client-ec2';
import {
  CancelCommandCommand,
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  GetParameterCommand,
  PutParameterCommand,
  SendCommandCommand,
  type GetCommandInvocationCommandOutput,
} from '@aws-sdk/client-ssm';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAwsCloud, type AwsCloud } from '../support/clouds/aws.ts';

const region = 'us-east-1';

let cloud: AwsCloud;
let base: string;
beforeAll(async () => {
  cloud = await startAwsCloud();
  base = await cloud.baseImage(region);
});
afterAll(() => cloud.stop());

const ec2 = () => cloud.ec2(cloud.accounts.owner, region);
const ssm = () => cloud.ssm(cloud.accounts.owner, region);
const code = (name: string) => expect.objectContaining({ name });

async function launch(more: Partial<RunInstancesCommandInput> = {}): Promise<string> {
  const input = { ImageId: base, MinCount: 1, MaxCount: 1, ...more };
  return (await ec2().send(new RunInstancesCommand(input))).Instances?.[0]?.InstanceId ?? '';
}

async function state(id: string): Promise<string | undefined> {
  const found = await ec2().send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return found.Reservations?.[0]?.Instances?.[0]?.State?.Name;
}

async function check(id: string): Promise<string | undefined> {
  const answer = await ec2().send(
    new DescribeInstanceStatusCommand({ InstanceIds: [id], IncludeAllInstances: true }),
  );
  return answer.InstanceStatuses?.[0]?.InstanceStatus?.Status;
}

async function until<T>(ask: () => Promise<T>, good: (answer: T) => boolean): Promise<T> {
  const giveUpAt = performance.now() + 15_000;
  for (;;) {
    const answer = await ask();
    if (good(answer) || performance.now() > giveUpAt) return answer;
    await delay(50);
  }
}

async function online(more: Partial<RunInstancesCommandInput> = {}): Promise<string> {
  const id = await launch(more);
  await until(
    () =>
      ssm().send(new DescribeInstanceInformationCommand({ Filters: [{ Key: 'InstanceIds', Values: [id] }] })),
    (answer) => answer.InstanceInformationList?.length === 1,
  );
  return id;
}

async function send(id: string, command: string, seconds = 20): Promise<string> {
  const parameters = { commands: [command], executionTimeout: [String(seconds)] };
  const input = { DocumentName: 'AWS-RunShellScript', InstanceIds: [id], Parameters: parameters };
  return (await ssm().send(new SendCommandCommand(input))).Command?.CommandId ?? '';
}

const outcome = (id: string, commandId: string): Promise<GetCommandInvocationCommandOutput> =>
  until(
    () => ssm().send(new GetCommandInvocationCommand({ InstanceId: id, CommandId: commandId })),
    (answer) => answer.Status !== 'InProgress',
  );
const run = async (id: string, command: string) => outcome(id, await send(id, command));

const consoleOf = async (id: string) =>
  Buffer.from(
    (await ec2().send(new GetConsoleOutputCommand({ InstanceId: id }))).Output ?? '',
    'base64',
  ).toString();

describe('instances', () => {
  it('go from pending to running, checks from initializing to ok (ec2-instance-lifecycle, monitoring-system-instance-status-check)', async () => {
    await cloud.setDelays({ running: 60_000, statusOk: 60_000, stopped: 60_000 });
    const id = await launch();
    expect([await state(id), await check(id)]).toEqual(['pending', 'not-applicable']);
    await cloud.elapse(60_000);
    expect([await state(id), await check(id)]).toEqual(['running', 'initializing']);
    await cloud.elapse(60_000);
    expect([await state(id), await check(id)]).toEqual(['running', 'ok']);

    await ec2().send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    expect(await state(id)).toBe('shutting-down');
    await cloud.elapse(60_000);
    expect(await state(id)).toBe('terminated');
    await cloud.setDelays({ running: 150, statusOk: 150, stopped: 100 });
  });

  it('are launched once for a client token (ec2-api-idempotency)', async () => {
    const ids = await Promise.all([1, 2].map(() => launch({ ClientToken: 'once' })));

    expect(ids[0]).toBe(ids[1]);
    await expect(launch({ ClientToken: 'once', InstanceType: 't3.large' })).rejects.toEqual(
      code('IdempotentParameterMismatch'),
    );
  });

  it('show their own console, and a panic when they cannot boot (API_GetConsoleOutput)', async () => {
    const id = await online();
    const machineId = (await run(id, 'cat /etc/machine-id')).StandardOutputContent?.trim() ?? '';
    expect(machineId).toMatch(/^[0-9a-f]{32}$/);
    expect(await consoleOf(id)).toContain(machineId);

    const broken = await cloud.baseImage(region, cloud.accounts.owner, 'broken');
    await cloud.breakImage(broken, region);
    const dead = await launch({ ImageId: broken });
    expect(
      await until(
        () => check(dead),
        (one) => one === 'impaired' || one === 'ok',
      ),
    ).toBe('impaired');
    expect(await consoleOf(dead)).toContain('Kernel panic');
  });

  it('come of launch templates in every version (API_DescribeLaunchTemplateVersions)', async () => {
    await ec2().send(
      new CreateLaunchTemplateCommand({ LaunchTemplateName: 'web', LaunchTemplateData: { ImageId: base } }),
    );
    const { LaunchTemplateVersions: versions } = await ec2().send(
      new DescribeLaunchTemplateVersionsCommand({ Versions: ['$Latest', '$Default'] }),
    );

    expect(versions?.map((one) => one.LaunchTemplateData?.ImageId)).toContain(base);
  });
});

describe('commands in instances', () => {
  it('really run, with both outputs apart and an identity of their own (API_GetCommandInvocation)', async () => {
    const [one, two] = await Promise.all([online(), online()]);

    expect(await run(one, 'echo out; echo err >&2; exit 3')).toMatchObject({
      Status: 'Failed',
      ResponseCode: 3,
      StandardOutputContent: 'out\n',
      StandardErrorContent: 'err\n',
    });
    expect(await run(one, 'cat')).toMatchObject({
      Status: 'Success',
      ResponseCode: 0,
      StandardOutputContent: '',
    });
    expect((await run(one, 'seq 1 20000')).StandardOutputContent).toHaveLength(24_000);
    const identity =
      'cat /etc/machine-id /proc/sys/kernel/random/boot_id; cat /etc/ssh/ssh_host_* | sha256sum';
    const [first, second] = [await run(one, identity), await run(two, identity)].map(
      (answer) => answer.StandardOutputContent?.split('\n') ?? [],
    );
    expect(first?.filter((line) => line !== '')).toHaveLength(3);
    for (const line of first ?? []) if (line !== '') expect(second).not.toContain(line);
  });

  it('end at their time-out, or when cancelled (monitor-commands)', async () => {
    const id = await online();
    const [slow, stopped] = await Promise.all([send(id, 'sleep 30', 1), send(id, 'sleep 30')]);
    await ssm().send(new CancelCommandCommand({ CommandId: stopped }));

    expect(await outcome(id, slow)).toMatchObject({ Status: 'TimedOut', StatusDetails: 'ExecutionTimedOut' });
    expect(await outcome(id, stopped)).toMatchObject({ Status: 'Cancelled' });
  });

  it('are refused for an instance that is not up (API_SendCommand: InvalidInstanceId)', async () => {
    await expect(send(await launch(), 'true')).rejects.toEqual(code('InvalidInstanceId'));
  });

  it('let an instance end itself, by user data (user-data, Using_ChangingInstanceInitiatedShutdownBehavior)', async () => {
    const id = await launch({
      UserData: Buffer.from('#!/bin/sh\nsleep 1\npoweroff\n').toString('base64'),
      InstanceInitiatedShutdownBehavior: 'terminate',
    });

    expect(
      await until(
        () => state(id),
        (one) => one === 'terminated',
      ),
    ).toBe('terminated');
  });
});

const put = (value: string, overwrite = true) =>
  ssm().send(
    new PutParameterCommand({
      Name: '/images/web',
      Value: value,
      Type: 'String',
      DataType: 'aws:ec2:image',
      Overwrite: overwrite,
    }),
  );
const get = async () => (await ssm().send(new GetParameterCommand({ Name: '/images/web' }))).Parameter;

describe('parameters that name images', () => {
  it('are written when the image was validated, and never for one that is not there (parameter-store-ec2-aliases)', async () => {
    await cloud.setDelays({ validation: 60_000 });
    expect(await put(base)).toMatchObject({ Version: 1 });
    await expect(get()).rejects.toEqual(code('ParameterNotFound'));
    await cloud.elapse(60_000);
    expect(await get()).toMatchObject({ Value: base, DataType: 'aws:ec2:image', Version: 1 });

    await put('ami-0123456789abcdef0');
    await cloud.elapse(60_000);
    expect(await get()).toMatchObject({ Value: base, Version: 1 });
    await expect(put(base, false)).rejects.toEqual(code('ParameterAlreadyExists'));
    await expect(put('no image')).rejects.toEqual(code('ValidationException'));
  });
});
