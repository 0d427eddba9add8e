/** The clients of each account and region. All calls go through one middleware that turns the SDK's errors into failures. */
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { EC2Client } from '@aws-sdk/client-ec2';
import { SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { targetKey, type Target } from '../../domain/target.ts';
import { credentialSource, type CredentialSource } from './credentials.ts';
import { translated } from './errors.ts';
import { defaultPace, type AwsAccount, type AwsCredentials, type AwsOptions, type Pace } from './options.ts';

export interface Place {
  readonly account: AwsAccount;
  readonly target: Target;
  readonly ec2: EC2Client;
  readonly ssm: SSMClient;
  readonly autoScaling: AutoScalingClient;
  readonly sts: STSClient;
}

export interface Cloud {
  readonly pace: Pace;
  readonly accounts: readonly AwsAccount[];
  readonly endpoint: string | undefined;
  /** Throws `invalid_input` for a place that is not configured. */
  at(target: Target): Place;
  /** The same region of another account; undefined for an account that is not configured. */
  inAccount(id: string, region: string): Place | undefined;
  /** The region in every account that is configured for it. */
  everywhere(region: string): readonly Place[];
  credentialsOf(account: AwsAccount): CredentialSource;
  /** Whether AWS takes the key by now: one that was just made it refuses for some seconds. Needs no permission. */
  knows(target: Target, credentials: AwsCredentials): Promise<boolean>;
}

type Watch = Pick<CredentialSource, 'proved' | 'refused'>;

interface Identity {
  readonly id: string;
  readonly caller: string;
}

export function openCloud(options: AwsOptions): Cloud {
  const pace = { ...defaultPace, ...options.pace };
  const { accounts, endpoint } = options;
  const sources = new Map<string, CredentialSource>();
  const places = new Map<string, Place>();

  function configuration(region: string, credentials?: CredentialSource) {
    return {
      region,
      // Retrying is Temporal's.
      maxAttempts: 1,
      requestHandler: {
        connectionTimeout: Math.min(5_000, pace.callMs),
        requestTimeout: pace.callMs,
        throwOnRequestTimeout: true,
      },
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials: credentials.own }),
    };
  }

  function credentialsOf(account: AwsAccount): CredentialSource {
    const known = sources.get(account.id);
    if (known !== undefined) return known;
    const region = account.regions[0] ?? 'us-east-1';
    const sts = (): STSClient => {
      if (base !== undefined) return base;
      base = new STSClient(configuration(region));
      const identity = { id: account.id, caller: 'the default chain' };
      base.middlewareStack.add(failures('sts', region, identity), outermost);
      return base;
    };
    let base: STSClient | undefined;
    const source = credentialSource(account, options, sts);
    sources.set(account.id, source);
    return source;
  }

  function open(account: AwsAccount, region: string): Place {
    const target = { provider: 'aws', account: account.id, region };
    const known = places.get(targetKey(target));
    if (known !== undefined) return known;
    const source = credentialsOf(account);
    const given = configuration(region, source);
    const watch: Watch = {
      proved: () => source.proved(),
      refused() {
        const verdict = source.refused();
        if (verdict === 'early') return verdict;
        // The SDK's clients keep credentials as well.
        for (const [key, { account: of }] of places) if (of.id === account.id) places.delete(key);
        return verdict;
      },
    };
    const identity = { id: account.id, caller: callerOf(account) };
    const place: Place = {
      account,
      target,
      ec2: new EC2Client(given),
      ssm: new SSMClient(given),
      autoScaling: new AutoScalingClient(given),
      sts: new STSClient(given),
    };
    place.ec2.middlewareStack.add(failures('ec2', region, identity, watch), outermost);
    place.ssm.middlewareStack.add(failures('ssm', region, identity, watch), outermost);
    place.autoScaling.middlewareStack.add(failures('autoscaling', region, identity, watch), outermost);
    place.sts.middlewareStack.add(failures('sts', region, identity, watch), outermost);
    places.set(targetKey(target), place);
    return place;
  }

  return {
    pace,
    accounts,
    endpoint,
    at(target) {
      const account = accounts.find(({ id }) => id === target.account);
      if (account?.regions.includes(target.region) === true) return open(account, target.region);
      const known = accounts.flatMap(({ id, regions }) => regions.map((region) => `${id}/${region}`));
      throw new Failure(
        'invalid_input',
        `aws: ${target.account}/${target.region} is not configured: add it to the accounts of the provider, or name one of ${known.join(', ') || '(none)'}`,
      );
    },
    inAccount(id, region) {
      const account = accounts.find((one) => one.id === id);
      return account === undefined ? undefined : open(account, region);
    },
    everywhere: (region) =>
      accounts.filter(({ regions }) => regions.includes(region)).map((account) => open(account, region)),
    credentialsOf,
    async knows({ account: id, region }, credentials) {
      const sts = new STSClient({ ...configuration(region), credentials });
      const identity = { id, caller: 'the lease of a bake' };
      sts.middlewareStack.add(failures('sts', region, identity), outermost);
      try {
        await sts.send(new GetCallerIdentityCommand({}));
        return true;
      } catch (error) {
        if (isFailure(error) && error.code === 'provider_credentials') return false;
        throw error;
      } finally {
        sts.destroy();
      }
    },
  };
}

function callerOf({ credentials }: AwsAccount): string {
  if (credentials.kind === 'assumeRole') return credentials.roleArn;
  return credentials.kind === 'leased' ? `the lease ${credentials.path}` : 'the default chain';
}

/** Generic, so that it fits the stack of every client: it does not look at what goes through it. */
function failures(service: string, region: string, { id, caller }: Identity, watch?: Watch) {
  return <A extends { readonly input: object }, R>(
      next: (args: A) => Promise<R>,
      context: { readonly commandName?: string },
    ): ((args: A) => Promise<R>) =>
    async (args) => {
      try {
        const reply = await next(args);
        watch?.proved();
        return reply;
      } catch (error) {
        const operation = (context.commandName ?? '').replace(/Command$/, '');
        const subject = idsIn(args.input);
        const failure = translated(error, { service, operation, account: id, region, caller, subject });
        throw watch === undefined ? failure : renewable(failure, watch);
      }
    };
}

/** A session that was good and is refused has ended early: the next try has a new one. One that never was good is refused for good. */
function renewable(failure: unknown, watch: Watch): unknown {
  if (!isFailure(failure) || failure.code !== 'provider_credentials') return failure;
  const verdict = watch.refused();
  if (verdict === 'wrong') return failure;
  const next = verdict === 'anew' ? 'they are asked for anew' : 'they are new, and AWS may not know them yet';
  return new Failure('provider_unavailable', `${failure.message}; ${next}`, { cause: failure });
}

const outermost = { name: 'failures', step: 'initialize', priority: 'high' } as const;

const namesOfIds = /(^|[a-z])(Ids?|ImageId|SourceImageId|InstanceIds?|Resources|Name|ClientToken|RoleArn)$/;

/** Values of the input that name things: what a person looks for in the console. */
function idsIn(input: object): string {
  return Object.entries(input)
    .filter(([key]) => namesOfIds.test(key))
    .flatMap(([, value]: [string, unknown]) => (Array.isArray(value) ? value : [value]))
    .filter((value) => typeof value === 'string' && value !== 'self')
    .slice(0, 3)
    .join(', ');
}
