/** Credentials of an account: the default chain, a role that is assumed, or a lease; asked again shortly before they expire. */
import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts';
import { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import { Failure } from '../../domain/failure.ts';
import type { BakeToPrepare } from '../provider.ts';
import type { AwsAccount, AwsCredentials, AwsOptions } from './options.ts';

export type GetCredentials = () => Promise<AwsCredentials>;

/** A user that was just made (a lease of type `iam_user`) is known everywhere after some seconds. Source: IAM user guide, "Troubleshoot IAM". */
const keySettlesMs = 60_000;

/** Renewed when they live no longer than this: a call that was just begun must not outlive them. */
const earlyMs = 5 * 60_000;

export interface CredentialSource {
  /** For our own calls; kept until shortly before they expire. */
  readonly own: GetCredentials;
  /** They were accepted. */
  proved(): void;
  /**
   * They were refused. `anew`: they had been accepted, and the next ones are asked for. `early`: IAM does not know their key everywhere
   * yet, so they are kept. `wrong`: they never were good.
   */
  refused(): 'anew' | 'early' | 'wrong';
  /** For a bake's Packer: fresh ones that live at least as long; throws when that cannot be had. */
  forBake(bake: CredentialsOfBake): Promise<AwsCredentials>;
}

interface CredentialsOfBake {
  readonly lifetimeMs: number;
  readonly sessionName: string;
  readonly leased: BakeToPrepare['leased'];
}

/** `sts` has the default chain's credentials. */
export function credentialSource(
  account: AwsAccount,
  options: Pick<AwsOptions, 'leased'>,
  sts: () => STSClient,
): CredentialSource {
  const { credentials } = account;
  if (credentials.kind === 'default') {
    const chain = fromNodeProviderChain();
    return {
      ...kept(() => chain()),
      async forBake({ lifetimeMs }) {
        return livingFor(lifetimeMs, await chain(), account);
      },
    };
  }
  if (credentials.kind === 'leased') {
    const { path } = credentials;
    const { leased } = options;
    if (leased === undefined) {
      throw new Failure(
        'invalid_input',
        `aws: account ${account.id} takes its credentials from the lease ${path}, and no Vault is configured`,
      );
    }
    const ours = kept(() => leased(path), true);
    return {
      ...ours,
      // Never ours while Packer runs: it outlives this process, which ends its lease when it stops.
      forBake: async (bake) => (await bake.leased?.(path)) ?? ours.own(),
    };
  }
  const assume = (seconds: number, sessionName: string): Promise<AwsCredentials> =>
    assumeRole(sts(), credentials, seconds, sessionName);
  return {
    ...kept(() => assume((credentials.sessionMinutes ?? 60) * 60, 'bakehouse')),
    forBake: ({ lifetimeMs, sessionName }) => assume(sessionSeconds(lifetimeMs), sessionName),
  };
}

function livingFor(ms: number, found: AwsCredentials, { id }: AwsAccount): AwsCredentials {
  const { expiration } = found;
  if (expiration === undefined || expiration.getTime() >= Date.now() + ms) return found;
  throw new Failure(
    'invalid_input',
    `aws: account ${id}: the credentials of the default chain end at ${expiration.toISOString()}, before the bake's time limit of ${Math.ceil(ms / 60_000)} min. Shorten the line's timeLimit, or give the account a role to assume`,
  );
}

const minimumSeconds = 900;
const maximumSeconds = 43_200;

/** What STS takes as DurationSeconds: 15 min to 12 h. */
function sessionSeconds(ms: number): number {
  const seconds = Math.max(minimumSeconds, Math.ceil(ms / 1_000));
  if (seconds <= maximumSeconds) return seconds;
  throw new Failure(
    'invalid_input',
    `aws: a role's session lasts 12 h at most, and the bake's time limit with its grace needs ${(seconds / 3_600).toFixed(1)} h: shorten the line's timeLimit`,
  );
}

async function assumeRole(
  sts: STSClient,
  role: { readonly roleArn: string; readonly externalId?: string },
  seconds: number,
  sessionName: string,
): Promise<AwsCredentials> {
  const { Credentials: given } = await sts
    .send(
      new AssumeRoleCommand({
        RoleArn: role.roleArn,
        RoleSessionName: sessionName.replaceAll(/[^\w+=,.@-]/g, '-').slice(0, 64),
        DurationSeconds: seconds,
        ...(role.externalId === undefined ? {} : { ExternalId: role.externalId }),
      }),
    )
    .catch((error: unknown) => {
      if (error instanceof Error && /DurationSeconds|MaxSessionDuration/.test(error.message)) {
        throw new Failure(
          'invalid_input',
          `aws: ${role.roleArn} gives no session of ${Math.ceil(seconds / 60)} min: raise the role's maximum session duration (1 h where a role assumes another), or shorten the line's timeLimit`,
          { cause: error },
        );
      }
      throw error;
    });
  if (given?.AccessKeyId === undefined || given.SecretAccessKey === undefined) {
    throw new Failure('provider_unavailable', `aws: STS answered no credentials for ${role.roleArn}`);
  }
  return {
    accessKeyId: given.AccessKeyId,
    secretAccessKey: given.SecretAccessKey,
    ...(given.SessionToken === undefined ? {} : { sessionToken: given.SessionToken }),
    ...(given.Expiration === undefined ? {} : { expiration: given.Expiration }),
  };
}

/** One question at a time, and its answer for as long as it lives. */
function kept(get: GetCredentials, settles = false): Pick<CredentialSource, 'own' | 'proved' | 'refused'> {
  let known: AwsCredentials | undefined;
  let asking: Promise<AwsCredentials> | undefined;
  let wereAccepted = false;
  let isSettledAt = 0;
  const ask = async (): Promise<AwsCredentials> => {
    try {
      const next = await get();
      // A session is good at once; the same key again is as old as it was.
      if (next.accessKeyId !== known?.accessKeyId)
        isSettledAt = settles && next.sessionToken === undefined ? Date.now() + keySettlesMs : 0;
      known = next;
      wereAccepted = false;
      return known;
    } finally {
      asking = undefined;
    }
  };
  return {
    own() {
      const until = known?.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
      if (known !== undefined && until - earlyMs > Date.now()) return Promise.resolve(known);
      return (asking ??= ask());
    },
    proved() {
      wereAccepted = known !== undefined;
    },
    refused() {
      if (known !== undefined && Date.now() < isSettledAt) return 'early';
      const before = wereAccepted;
      known = undefined;
      wereAccepted = false;
      return before ? 'anew' : 'wrong';
    },
  };
}
