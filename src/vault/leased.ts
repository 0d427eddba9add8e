/** Credentials of a dynamic engine for ourselves (a cloud provider's calls), taken again shortly before they end. */
import { Failure, failureKinds, isFailure } from '../domain/failure.ts';
import type { Api } from './api.ts';
import { mountOf, takeLease } from './read-secrets.ts';
import type { Session } from './session.ts';
import type { AwsCredentials } from './vault.ts';

export interface Leases {
  get(path: string): Promise<AwsCredentials>;
  /** What was taken here and may live. */
  marks(): readonly string[];
}

/** A call that begins now has this long to end; of a short lease a fifth. */
const longestMarginMs = 5 * 60_000;
/** Wished for where the engine lets the caller choose. */
const wishedSeconds = 3600;

interface Held {
  readonly credentials: AwsCredentials;
  readonly takenAt: number;
  readonly endsAt: number;
}

export function createLeases(api: Api, session: Session): Leases {
  const held = new Map<string, Held>();
  const taking = new Map<string, Promise<Held>>();
  const marks = new Map<string, number>();

  async function take(path: string): Promise<Held> {
    return session.use(async ({ token, endsAt: sessionEnds }) => {
      const takenAt = Date.now();
      const mount = await mountOf(api, token, path);
      const { leaseId, fields, seconds } = await takeLease(api, token, mount, path, wishedSeconds);
      const endsAt = Math.min(takenAt + seconds * 1000, sessionEnds);
      marks.set(`lease ${leaseId}`, endsAt);
      const one = { credentials: awsCredentials(path, fields, endsAt), takenAt, endsAt };
      held.set(path, one);
      return one;
    });
  }

  return {
    async get(path) {
      const known = held.get(path);
      if (known !== undefined && isFresh(known)) return known.credentials;
      const next = taking.get(path) ?? take(path).finally(() => taking.delete(path));
      taking.set(path, next);
      try {
        return (await next).credentials;
      } catch (error) {
        const mayPass = isFailure(error) && failureKinds[error.code].retryable;
        // Vault is away for a moment, and what we have is good to its end.
        if (mayPass && known !== undefined && known.endsAt - Date.now() > 10_000) return known.credentials;
        throw error;
      }
    },
    marks() {
      return [...marks].filter(([, endsAt]) => endsAt > Date.now()).map(([mark]) => mark);
    },
  };
}

const isFresh = ({ takenAt, endsAt }: Held): boolean =>
  endsAt - Date.now() > Math.min(longestMarginMs, (endsAt - takenAt) / 5);

/** https://developer.hashicorp.com/vault/api-docs/secret/aws#generate-credentials */
function awsCredentials(
  path: string,
  fields: Readonly<Record<string, unknown>>,
  endsAt: number,
): AwsCredentials {
  const { access_key: accessKeyId, secret_key: secretAccessKey } = fields;
  const token = fields['session_token'] ?? fields['security_token'];
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string') {
    throw new Failure(
      'invalid_input',
      `${path} gives no access_key and secret_key: name a role of an AWS engine of Vault`,
    );
  }
  return {
    accessKeyId,
    secretAccessKey,
    ...(typeof token === 'string' && token !== '' ? { sessionToken: token } : {}),
    expiresAt: new Date(endsAt).toISOString(),
  };
}
