/** Secrets of bakes, issued by Vault: every credential is in the ledger, by a mark that any process can end it with. */
import { monotonicFactory } from 'ulid';

import { Failure, failureKinds, isFailure } from '../domain/failure.ts';
import type { LineSecret } from '../domain/image-line.ts';
import type { LeasedKey } from '../providers/provider.ts';
import type { Bakes } from '../registry/contract/bakes.ts';
import type { Ledger, LedgerEntry } from '../registry/contract/ledger.ts';
import type { Issuing, SecretValues, Vault } from '../vault/vault.ts';
import {
  endPrincipal,
  isPrincipalMark,
  makePrincipal,
  type PrincipalMaker,
  type PrincipalWanted,
} from './bake-principals.ts';

export interface CredentialDeps {
  readonly ledger: Pick<Ledger, 'open' | 'close' | 'listOpen'>;
  readonly bakes: Pick<Bakes, 'unwanted'>;
  /** Undefined: this process was told of none. */
  readonly vault: Pick<Vault, 'check' | 'issue' | 'revoke'> | undefined;
  /** Absent: no bake of this process publishes. */
  readonly principals?: PrincipalMaker;
}

export interface CredentialsWanted {
  readonly attemptId: string;
  readonly bucket: string;
  readonly secrets: readonly LineSecret[];
  /** The bake's time and what Packer gets to end. Milliseconds. */
  readonly lifetimeMs: number;
}

/** A lease that a cloud account names in place of credentials. */
export interface LeaseWanted extends Pick<CredentialsWanted, 'attemptId' | 'lifetimeMs'> {
  /** As `vault read` takes it: a role of an AWS engine. */
  readonly path: string;
}

/** For Packer. All of it is secret. */
export interface GivenSecrets {
  readonly variables: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
}

export interface Credentials {
  /**
   * Whether all of it can be issued; nothing is leased, and a text that says so stands where a lease will be. Ends what it took for that
   * itself, and nothing else: the attempt's Packer may be at work with what was issued.
   */
  check(wanted: CredentialsWanted): Promise<GivenSecrets>;
  /** Each call issues anew. What an earlier one issued ends with the attempt. */
  issue(wanted: CredentialsWanted): Promise<GivenSecrets>;
  /** Whether a key can be leased for the bake; none is. */
  checkLease(wanted: LeaseWanted): Promise<void>;
  /** A key of the attempt's own, issued and ended as its secrets are. */
  lease(wanted: LeaseWanted): Promise<LeasedKey>;
  /** A principal of the attempt's own, for its Packer to publish with; ended as its secrets are. Each call makes another one. */
  issuePrincipal(wanted: PrincipalWanted): Promise<{ readonly clientId: string; readonly secret: string }>;
  /** All credentials of the attempt that the ledger knows; also from another host, and again. One that cannot be ended holds up no other. */
  revoke(attemptId: string): Promise<void>;
  /** The same, but what waiting does not help is left open in the ledger: the reaper goes on with it and says so. */
  revokeOrLeave(attemptId: string): Promise<void>;
  /** Those of attempts that are over, or were lost with their host. Answers the attempts of which something cannot be ended yet. */
  revokeUnwanted(): Promise<readonly { readonly attemptId: string; readonly error: unknown }[]>;
}

type Ended = Pick<LedgerEntry, 'id' | 'owner' | 'mark'>;

/** In the order of the calls, also within a millisecond. */
const newId = monotonicFactory();
const notYet = 'issued-by-vault-when-packer-starts';

export function createCredentials({ ledger, bakes, vault, principals }: CredentialDeps): Credentials {
  function vaultFor({ bucket, secrets }: CredentialsWanted): NonNullable<CredentialDeps['vault']> {
    if (vault !== undefined) return vault;
    const names = secrets.map(({ name }) => name).join(', ');
    throw new Failure(
      'invalid_input',
      `the line ${bucket} names secrets (${names}) and this bake host has no Vault: set VAULT_ADDR and BAKEHOUSE_VAULT_AUTH for it, or take \`secrets\` out of the line`,
    );
  }

  function vaultForLease({ path }: LeaseWanted): NonNullable<CredentialDeps['vault']> {
    if (vault !== undefined) return vault;
    const message = `a cloud account takes its credentials from the lease ${path} and this bake host has no Vault: set VAULT_ADDR and BAKEHOUSE_VAULT_AUTH for it`;
    throw new Failure('invalid_input', message);
  }

  function maker(): PrincipalMaker {
    if (principals !== undefined) return principals;
    throw new Failure('internal', 'this process makes no principals');
  }

  const recorder =
    (owner: string, recorded: Ended[] = []) =>
    async (mark: string) => {
      const id = newId();
      await ledger.open({ id, owner, kind: 'credential', mark, target: null });
      recorded.push({ id, owner, mark });
    };

  async function credentialsOf(owner?: string): Promise<readonly LedgerEntry[]> {
    const open = await ledger.listOpen(owner === undefined ? {} : { owner });
    // Leases were recorded after their token: newest first, so that each is ended by itself and proved to be.
    return open.filter(({ kind }) => kind === 'credential').toReversed();
  }

  async function endOne({ id, owner, mark }: Ended): Promise<void> {
    if (isPrincipalMark(mark)) {
      await endPrincipal(maker(), mark);
      await ledger.close(id);
      return;
    }
    if (vault === undefined) {
      const message = `bake attempt ${owner} holds credentials of Vault, and this process was told of none: set VAULT_ADDR and BAKEHOUSE_VAULT_AUTH for it`;
      throw new Failure('provider_credentials', message);
    }
    await vault.revoke(mark);
    await ledger.close(id);
  }

  /** Tries all of them, and throws what the first one threw that could not be ended. */
  async function end(entries: readonly Ended[]): Promise<void> {
    const errors: unknown[] = [];
    for (const entry of entries) await endOne(entry).catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }

  async function checked(
    asked: Pick<Vault, 'check'>,
    issuing: Omit<Issuing, 'record'>,
  ): Promise<SecretValues> {
    const own: Ended[] = [];
    const values = await asked.check({ ...issuing, record: recorder(issuing.attemptId, own) });
    await end(own);
    return values;
  }

  return {
    async check(wanted) {
      return given(wanted.secrets, await checked(vaultFor(wanted), wanted));
    },
    async checkLease(wanted) {
      await checked(vaultForLease(wanted), issuingOf(wanted));
    },
    async lease(wanted) {
      const record = recorder(wanted.attemptId);
      return keyOf(await vaultForLease(wanted).issue({ ...issuingOf(wanted), record }));
    },
    async issue(wanted) {
      return given(
        wanted.secrets,
        await vaultFor(wanted).issue({ ...wanted, record: recorder(wanted.attemptId) }),
      );
    },
    issuePrincipal: (wanted) => makePrincipal(maker(), wanted, recorder(wanted.attemptId)),
    async revoke(attemptId) {
      await end(await credentialsOf(attemptId));
    },
    async revokeOrLeave(attemptId) {
      try {
        await end(await credentialsOf(attemptId));
      } catch (error) {
        if (!isFailure(error) || failureKinds[error.code].retryable) throw error;
      }
    },
    async revokeUnwanted() {
      const entries = await credentialsOf();
      if (entries.length === 0) return [];
      const owners = [...new Set(entries.map(({ owner }) => owner))];
      const failed: { attemptId: string; error: unknown }[] = [];
      for (const attemptId of await bakes.unwanted(owners)) {
        try {
          await end(entries.filter(({ owner }) => owner === attemptId));
        } catch (error) {
          failed.push({ attemptId, error });
        }
      }
      return failed;
    },
  };
}

function given(secrets: readonly LineSecret[], values: SecretValues): GivenSecrets {
  const into = (kind: LineSecret['into']['kind']) =>
    Object.fromEntries(
      secrets
        .filter((secret) => secret.into.kind === kind)
        .map((secret) => [secret.into.name, values.get(secret.name) ?? notYet]),
    );
  return { variables: into('variable'), environment: into('environment') };
}

/** https://developer.hashicorp.com/vault/api-docs/secret/aws#generate-credentials */
function issuingOf({ attemptId, lifetimeMs, path }: LeaseWanted): Omit<Issuing, 'record'> {
  const field = (key: string) => ({ name: key, from: { kind: 'lease', path, key } }) as const;
  const secrets = [
    field('access_key'),
    field('secret_key'),
    // A user has none, and where there is one it has either name.
    { ...field('session_token'), optional: true },
    { ...field('security_token'), optional: true },
  ];
  return { attemptId, lifetimeMs, secrets };
}

function keyOf(values: SecretValues): LeasedKey {
  const sessionToken = values.get('session_token') ?? values.get('security_token');
  return {
    accessKeyId: values.get('access_key') ?? '',
    secretAccessKey: values.get('secret_key') ?? '',
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
}
