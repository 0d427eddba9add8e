/** Every error of the SDK comes through here and leaves as a `Failure` of the catalogue. */
import * as z from 'zod';
import { Failure, isFailure, type FailureCode } from '../../domain/failure.ts';
import { codeOf, remedyFor, waitForOthers } from './error-codes.ts';

/** What was being done, for the message. */
export interface Asked {
  /** `ec2`, as it is written in a policy. */
  readonly service: string;
  /** `DisableImage`. */
  readonly operation: string;
  readonly account: string;
  readonly region: string;
  /** Whose credentials: a role's ARN, or words. */
  readonly caller: string;
  /** Ids that the call was about. */
  readonly subject: string;
}

const networkCodes =
  /^(ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ERR_SSL\w*|UND_ERR\w*)$/;

/** An error that is none of the SDK's (our own failure, an abort) is answered as it is. */
export function translated(error: unknown, asked: Asked): unknown {
  if (isFailure(error) || !(error instanceof Error) || error.name === 'AbortError') return error;
  const { status, requestId, ...reply } = replyOf(error);
  const retryAfterMs = reply.retryAfterMs ?? waitForOthers(error.name, error.message);
  const found = kindOf(error, status);
  // A question that names nothing finds nothing or something: this answer comes from a part of the service that lags behind.
  const code = found === 'not_found' && asked.subject === '' ? 'provider_unavailable' : found;
  return new Failure(code, messageOf(code, error, asked), {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    details: {
      awsCode: error.name,
      action: `${asked.service}:${asked.operation}`,
      ...(requestId === undefined ? {} : { requestId }),
    },
    cause: bare(error),
  });
}

/** The SDK's error holds its request with the session token in it, and errors are printed. */
function bare({ name, message }: Error): Error {
  return Object.assign(new Error(message), { name });
}

/** The code that AWS gave, where a failure came from AWS. */
export function awsCode(error: unknown): string | undefined {
  if (!isFailure(error)) return undefined;
  const code = error.details['awsCode'];
  return typeof code === 'string' ? code : undefined;
}

export const isNotFound = (error: unknown): error is Failure =>
  isFailure(error) && error.code === 'not_found' && awsCode(error) !== undefined;

/** Answers what `otherwise` gives when the thing was not found; any other failure is thrown. */
export async function unlessMissing<T, U>(work: Promise<T>, otherwise: () => U | Promise<U>): Promise<T | U> {
  try {
    return await work;
  } catch (error) {
    if (isNotFound(error)) return otherwise();
    throw error;
  }
}

const notOwner = /^Not authorized for (image|snapshot)/i;

function kindOf(error: Error, status: number | undefined): FailureCode {
  if (error.name === 'AuthFailure') {
    // EC2 says so of images that are private to their owner, and of one that is seen and belongs to somebody else.
    if (/^Not authorized for images/i.test(error.message)) return 'not_found';
    if (notOwner.test(error.message)) return 'permission_denied';
  }
  if (waitForOthers(error.name, error.message) !== undefined) return 'rate_limited';
  const network = 'code' in error && typeof error.code === 'string' && networkCodes.test(error.code);
  const known = codeOf(error.name);
  if (network || status === 429) return network ? 'provider_unavailable' : 'rate_limited';
  if (known !== undefined) return known;
  if (status !== undefined && status >= 500) return 'provider_unavailable';
  return 'internal';
}

function messageOf(code: FailureCode, error: Error, asked: Asked): string {
  const { service, operation, account, region, subject } = asked;
  const about = subject === '' ? '' : ` for ${subject}`;
  const where = `account ${account} in ${region}`;
  const said = wordsOf(error);
  if (code === 'permission_denied' && error.name === 'AuthFailure')
    return `aws: ${where}: ${asked.caller} may not do ${service}:${operation}${about}: ${said}. It belongs to another account, whose credentials are needed`;
  if (code === 'permission_denied') {
    const missing = /not authorized to perform:? ([a-z0-9-]+:\w+)/i.exec(error.message)?.[1];
    const who = /User: (arn:\S+)/.exec(error.message)?.[1] ?? asked.caller;
    return `aws: ${where}: ${who} lacks the permission ${missing ?? `${service}:${operation}`}${about}: allow it in that identity's policy (and in service control policies) and try again`;
  }
  if (code === 'provider_credentials')
    return `aws: ${where}: the credentials (${asked.caller}) were refused at ${service}:${operation}: ${said}. Renew them, or set the account's credentials right, and see \`bakehouse doctor\``;
  if (code === 'resource_exhausted')
    return `aws: ${where}: ${service}:${operation}${about} met a quota: ${said}. Ask AWS for more, or delete what nobody needs`;
  if (code === 'rate_limited') return `aws: ${where}: ${service}:${operation} was throttled (${error.name})`;
  if (code === 'provider_unavailable')
    return `aws: ${where}: ${service}:${operation}${about} got no good answer: ${said}`;
  const remedy = remedyFor(error.name);
  return `aws: ${where}: ${service}:${operation}${about}: ${said}${remedy === undefined ? '' : `. Remedy: ${remedy}`}`;
}

/** Without the encoded part, which only its account's administrators can read and which is long. */
function wordsOf(error: Error): string {
  const text = error.message.replace(/\s*Encoded authorization failure message:.*$/s, '');
  const bounded = text.length > 500 ? `${text.slice(0, 500)}…` : text;
  return bounded === '' || bounded === error.name ? error.name : `${error.name}: ${bounded}`;
}

interface Reply {
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly requestId?: string;
}

/** The fields that the SDK puts on its errors; the reply itself is not enumerable. */
const repliedSchema = z.object({
  $metadata: z.object({ httpStatusCode: z.number().optional(), requestId: z.string().optional() }).optional(),
  $response: z
    .object({ statusCode: z.number().optional(), headers: z.record(z.string(), z.string()).optional() })
    .optional(),
});

function replyOf(error: Error): Reply {
  const { $metadata, $response } = repliedSchema.safeParse(error).data ?? {};
  const status = $metadata?.httpStatusCode ?? $response?.statusCode;
  const retryAfterMs = waitOf($response?.headers?.['retry-after']);
  return {
    ...(status === undefined ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...($metadata?.requestId === undefined ? {} : { requestId: $metadata.requestId }),
  };
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function waitOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
