/** What an installation says about its AWS accounts. */

export interface AwsOptions {
  readonly accounts: readonly AwsAccount[];
  /** A private endpoint for every service; absent: the SDK's own. */
  readonly endpoint?: string;
  /** Credentials for our own calls that are leased elsewhere (Vault): asked again when they expire. */
  readonly leased?: (path: string) => Promise<AwsCredentials>;
  readonly pace?: Partial<Pace>;
}

export interface AwsAccount {
  /** 12 digits; `Target.account`. */
  readonly id: string;
  readonly regions: readonly string[];
  readonly credentials:
    | { readonly kind: 'default' }
    | {
        readonly kind: 'assumeRole';
        readonly roleArn: string;
        readonly externalId?: string;
        /** Of our own calls, 15 to 720; a bake's session is as long as its time limit. Default 60. */
        readonly sessionMinutes?: number;
      }
    | { readonly kind: 'leased'; readonly path: string };
  /** KMS key for copies, by region. */
  readonly encryptionKeys?: Readonly<Record<string, string>>;
  readonly callsPerSecond?: number;
  /** Where channel pointers lie in the parameter store, without a slash at its end. Default `/bakehouse`. */
  readonly parameterPrefix?: string;
}

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** Milliseconds. */
export interface Pace {
  /** Between two looks at something that takes minutes (an image, a copy). */
  readonly pollMs: number;
  /** Between two looks at something that takes seconds (a command, a parameter). */
  readonly shortPollMs: number;
  /** How long something that was just made may be unknown: EC2 is eventually consistent. */
  readonly visibleMs: number;
  /** How long something must be unseen to count as never made: not shorter than `visibleMs`. */
  readonly neverMadeMs: number;
  /** How long one call may take. */
  readonly callMs: number;
}

export const defaultPace: Pace = {
  pollMs: 5_000,
  shortPollMs: 1_000,
  visibleMs: 60_000,
  neverMadeMs: 90_000,
  callMs: 30_000,
};
