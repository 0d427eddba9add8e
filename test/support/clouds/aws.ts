/** The AWS test cloud (`test/clouds/aws`): a server of its own on a free port, with the official SDKs pointed at it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { EC2Client } from '@aws-sdk/client-ec2';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import { testCloudFolders } from '../../../scripts/setup/test-clouds.ts';
import { installationRoot } from '../../../src/config/tools.ts';

/** Milliseconds from a call until its effect is complete. */
export interface AwsDelays {
  /** Images and their snapshots: pending until then. */
  readonly image?: number;
  /** Instances: pending until then. */
  readonly running?: number;
  /** Status checks are initializing until then, after running. */
  readonly statusOk?: number;
  /** Stopping and shutting-down. */
  readonly stopped?: number;
  /** The SSM agent is online, after the status checks. */
  readonly agent?: number;
  /** A parameter of type `aws:ec2:image` is validated, and only then written. */
  readonly validation?: number;
  /** New images, instances and commands are not found at all until then (eventual consistency). */
  readonly visible?: number;
}

export interface AwsFault {
  /** As the API names it, `CopyImage`; `*` is every action. */
  readonly action: string;
  /** `held`: done, and the answer waits until the faults are cleared. */
  readonly answer:
    'throttled' | 'server-error' | 'timeout-after-effect' | 'held' | 'not-found' | 'access-denied';
  /** How many calls are answered so; absent: all. Each attempt of an SDK's own retries is a call. */
  readonly times?: number;
  /** So many matching calls go through before the first one is answered. */
  readonly after?: number;
  /** `ec2`, `ssm`, `sts`, `autoscaling`. */
  readonly service?: string;
  readonly account?: string;
  readonly region?: string;
}

export interface AwsCall {
  readonly service: string;
  readonly action: string;
  /** Empty when the credentials were refused. */
  readonly account: string;
  readonly region: string;
  /** `done`, or the fault or refusal it was answered with. */
  readonly answer: string;
  /** It asked for a list's next page. */
  readonly laterPage: boolean;
  readonly at: number;
}

interface Listed {
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
}

interface Shared extends Listed {
  readonly sharedWith: readonly string[];
}

interface Attachable extends Listed {
  /** To an instance. */
  readonly attached: boolean;
}

/** What is in an account and region beyond what every account has; terminated instances and cancelled spot requests are gone. */
export interface AwsEverything {
  readonly images: readonly (Shared & {
    readonly name: string;
    readonly state: string;
    /** Ids of those behind it. */
    readonly snapshots: readonly string[];
  })[];
  readonly snapshots: readonly Shared[];
  readonly instances: readonly (Listed & { readonly state: string })[];
  readonly volumes: readonly Attachable[];
  readonly keyPairs: readonly (Listed & { readonly name: string })[];
  readonly securityGroups: readonly (Listed & { readonly name: string })[];
  readonly networkInterfaces: readonly Attachable[];
  readonly launchTemplates: readonly Listed[];
  readonly spotRequests: readonly Listed[];
  /** By name. */
  readonly parameters: readonly (Listed & { readonly value: string })[];
}

export interface AwsCloudOptions {
  readonly delays?: AwsDelays;
  /** Account → external id that its role asks for. */
  readonly externalIds?: Readonly<Record<string, string>>;
}

export const awsAccounts = {
  owner: '111122223333',
  firstShare: '222233334444',
  secondShare: '333344445555',
} as const;

/** The organization holds all three accounts; the unit only the second one that is shared with. */
export const awsOrganization = {
  arn: `arn:aws:organizations::${awsAccounts.owner}:organization/o-bakehouse1`,
  unitArn: `arn:aws:organizations::${awsAccounts.owner}:ou/o-bakehouse1/ou-b4ke-00000001`,
} as const;

export type AwsCloud = Awaited<ReturnType<typeof startAwsCloud>>;

/** Starts it; it ends with `stop`, or with this process. */
export async function startAwsCloud(options: AwsCloudOptions = {}) {
  const { child, port } = await serve({
    accounts: Object.values(awsAccounts),
    externalIds: options.externalIds ?? {},
    organizations: {
      [awsOrganization.arn]: Object.values(awsAccounts),
      [awsOrganization.unitArn]: [awsAccounts.secondShare],
    },
    delays: options.delays ?? {},
  });
  const endpoint = `http://127.0.0.1:${port}`;

  const ask = async <T>(action: string, given: object = {}): Promise<T> => {
    const response = await fetch(`${endpoint}/bakehouse-test/${action}`, {
      method: 'POST',
      body: JSON.stringify(given),
    });
    if (!response.ok) throw new Error(`the AWS test cloud refused ${action}: ${await response.text()}`);
    const answer: T = JSON.parse(await response.text());
    return answer;
  };
  const client = (account: string, region: string) => ({
    endpoint,
    region,
    credentials: awsCredentials(account),
    // Faults are counted in calls, so that a retry of the SDK's own would hide them.
    maxAttempts: 1,
  });

  return {
    endpoint,
    pid: child.pid ?? 0,
    accounts: awsAccounts,
    organization: awsOrganization,
    /** Lets the SDKs and Packer of another process reach this cloud, as the owner, and nothing else. */
    environment: environmentFor(endpoint, awsAccounts.owner),
    environmentOf: (account: string) => environmentFor(endpoint, account),
    /** The one role of an account that the others may assume. */
    roleArn: (account: string) => `arn:aws:iam::${account}:role/bakehouse`,
    ec2: (account: string, region: string) => new EC2Client(client(account, region)),
    ssm: (account: string, region: string) => new SSMClient(client(account, region)),
    autoScaling: (account: string, region: string) => new AutoScalingClient(client(account, region)),
    sts: (account: string = awsAccounts.owner, region = 'us-east-1') =>
      new STSClient(client(account, region)),
    fault: (rule: AwsFault) => ask<void>('faults/add', rule),
    clearFaults: () => ask<void>('faults/clear'),
    /** All API calls since the start, the last `reset` or the last `clearCalls`, in order. */
    calls: () => ask<readonly AwsCall[]>('calls'),
    clearCalls: () => ask<void>('calls/clear'),
    /** Those that are not named stay as they are. */
    setDelays: (delays: AwsDelays) => ask<void>('delays', delays),
    /** Puts the cloud's clock forward: what is due by then is done. */
    elapse: (milliseconds: number) => ask<void>('elapse', { milliseconds }),
    /** Lists come in pages from now on, the first one empty, the others of so many entries. Absent: as a whole again. */
    pages: (size?: number) => ask<void>('pages', size === undefined ? {} : { size }),
    /** Ends all sessions of AssumeRole now. */
    expireSessions: () => ask<void>('sessions/expire'),
    /** An available image as a vendor offers it, of this account: the same one as often as asked by its name. Answers its id. */
    baseImage: (region: string, account: string = awsAccounts.owner, name = 'base') =>
      ask<string>('images/base', { region, account, name }),
    /** Machines of this image never come up: status checks fail and the console shows a panic. */
    breakImage: (imageId: string, region: string, account: string = awsAccounts.owner) =>
      ask<void>('images/break', { imageId, region, account }),
    /** Tags are not seen yet of what was just made. */
    forgetTags: (id: string, region: string, account: string = awsAccounts.owner) =>
      ask<void>('tags/forget', { id, region, account }),
    /** An image that is being made fails; it keeps its name. */
    failImage: (imageId: string, region: string, account: string = awsAccounts.owner) =>
      ask<void>('images/fail', { imageId, region, account }),
    everything: (account: string, region: string) => ask<AwsEverything>('everything', { account, region }),
    /** As just started: nothing in it, usual delays, no faults, no calls, no sessions. */
    reset: () => ask<void>('reset'),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      // It removes its guests first.
      child.stdin?.end();
      const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await exited;
      clearTimeout(late);
    },
  };
}

/** The cloud reads the account off the key. */
export function awsCredentials(account: string): { accessKeyId: string; secretAccessKey: string } {
  return { accessKeyId: `AKIA0000${account}`, secretAccessKey: `secret-of-${account}` };
}

function environmentFor(endpoint: string, account: string): Readonly<Record<string, string>> {
  const { accessKeyId, secretAccessKey } = awsCredentials(account);
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}

async function serve(settings: object): Promise<{ child: ChildProcess; port: number }> {
  const { moto, busybox } = testCloudFolders();
  const child = spawn('python3', ['-m', 'aws', JSON.stringify(settings)], {
    cwd: installationRoot,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      PYTHONPATH: [moto, join(installationRoot, 'test', 'clouds')].join(delimiter),
      PYTHONDONTWRITEBYTECODE: '1',
      BAKEHOUSE_TEST_BUSYBOX: busybox,
    },
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line'), once(child, 'exit'), once(child, 'error')]);
  const line: unknown = first[0];
  if (typeof line !== 'string' || !line.startsWith('{')) {
    throw new Error(`the AWS test cloud does not start (fetched by \`npm test\`'s set-up); it said: ${said}`);
  }
  const { port }: { readonly port: number } = JSON.parse(line);
  return { child, port };
}
