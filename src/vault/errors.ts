/** From what node-vault throws to the catalogue. Its errors hold tokens (the request's headers), so none of them is kept as a cause. */
import { Failure } from '../domain/failure.ts';

export type Whose = 'our login' | "the bake's token";

export interface Asked {
  readonly what: string;
  readonly path: string;
  readonly method: 'GET' | 'POST';
  /** Whose policy lets it. */
  readonly whose: Whose;
  /** Secrets of the call. */
  readonly sent: readonly string[];
}

/** Vault says 403 for all that it refuses; who knows better names it. */
export const isRefused = (error: unknown): boolean => statusOf(error) === 403;
export const isAbsent = (error: unknown): boolean => statusOf(error) === 404;

/** Vault's own words, also where they are not in the message. */
export function saidBy(error: unknown): string {
  const said = error instanceof Failure ? error.details['said'] : undefined;
  return typeof said === 'string' ? said : '';
}

/** These ask the engine, and answer 400 whatever it says: also that its database is away, which passes. */
const enginePaths: readonly string[] = ['sys/leases/revoke', 'sys/leases/renew'];
/** What Vault says of a lease by itself, without the engine. */
const ofLease = /lease not found|lease is not renewable/i;

/** Status codes: https://developer.hashicorp.com/vault/api-docs#http-status-codes */
export function refusal(error: unknown, { what, path, method, whose, sent }: Asked): Failure {
  const { status, said } = answerOf(error, sent);
  const details = status === undefined ? {} : { status, said };
  const says = said === '' ? `status ${String(status)}` : said;
  if (status === undefined) {
    const message = `cannot ${what}: Vault does not answer (${networkReason(error)}); it is asked again`;
    return new Failure('provider_unavailable', message);
  }
  if (status === 429)
    return new Failure('rate_limited', `cannot ${what}: Vault is asked too often`, { details });
  const isEngines = status === 400 && enginePaths.includes(path) && !ofLease.test(said);
  if (isEngines || status === 412 || status === 472 || status === 473 || status >= 500) {
    const remedy = /sealed/i.test(said) ? 'unseal it and the work goes on' : 'it is asked again';
    return new Failure('provider_unavailable', `cannot ${what}: Vault says "${says}"; ${remedy}`, {
      details,
    });
  }
  if (status === 404) {
    return new Failure('invalid_input', `cannot ${what}: there is nothing at ${path} in Vault`, { details });
  }
  if (status === 403) {
    const capability = method === 'GET' ? 'read' : 'update';
    const message = `cannot ${what}: Vault refuses it; allow "${capability}" on ${path} in the policy of ${whose}`;
    return new Failure('provider_credentials', message, { details });
  }
  return new Failure('provider_credentials', `cannot ${what}: Vault says "${says}" of ${path}`, { details });
}

function statusOf(error: unknown): unknown {
  return error instanceof Failure ? error.details['status'] : undefined;
}

function answerOf(
  error: unknown,
  sent: readonly string[],
): { readonly status?: number; readonly said: string } {
  if (!(error instanceof Error) || !('response' in error)) return { said: '' };
  const { response } = error;
  if (typeof response !== 'object' || response === null || !('statusCode' in response)) return { said: '' };
  const status = Number(response.statusCode);
  // Vault's own words name paths and reasons, never values. Sentences of an engine (SQL of a database) may be long.
  const said = sent.reduce((text, secret) => text.replaceAll(secret, '***'), error.message);
  return { status, said: said.replaceAll(/\s+/g, ' ').trim().slice(0, 300) };
}

function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return 'no reason given';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
