/** The two calls that a run task of HCP Terraform takes: its plan, and the answer to it. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Failure } from '../domain/failure.ts';
import type { Finding, RunVerdict } from '../domain/run-task.ts';
import { isRefusedAddress, lookUpAllowed, refusal } from './refused-addresses.ts';

const longestPlan = 64 * 1024 * 1024;
const longestAnswer = 64 * 1024;
const timeoutMs = 30_000;
const mostRedirects = 3;

interface Call {
  readonly method: 'GET' | 'PATCH';
  readonly url: string;
  /** Undefined: where a redirect leads to another origin. */
  readonly token: string | undefined;
  readonly body?: string;
  readonly limit: number;
  readonly signal: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly text: string;
}

/** It may be had by a redirect to where plans are stored, which is not told the token. */
export async function fetchPlan(url: string, token: string, signal: AbortSignal): Promise<unknown> {
  let [at, sent]: [string, string | undefined] = [url, token];
  for (let hop = 0; hop <= mostRedirects; hop += 1) {
    const answer = await call({ method: 'GET', url: at, token: sent, limit: longestPlan, signal });
    if (answer.status >= 300 && answer.status < 400 && answer.location !== undefined) {
      const next = redirected(answer.location, at);
      // Another scheme too: over http everybody on the way would read it.
      if (next.origin !== new URL(at).origin) sent = undefined;
      at = next.href;
      continue;
    }
    if (answer.status !== 200) throw away(at, `answered ${answer.status}`);
    try {
      return JSON.parse(answer.text);
    } catch {
      throw away(at, 'did not answer the JSON of a plan');
    }
  }
  throw away(url, 'leads from one address to the next');
}

function redirected(location: string, from: string): URL {
  const next = URL.canParse(location, from) ? new URL(location, from) : undefined;
  if (next !== undefined && /^https?:$/.test(next.protocol)) return next;
  throw away(from, 'redirects to what is no http or https address');
}

export async function tellVerdict(
  url: string,
  token: string,
  { status, message, findings }: RunVerdict,
  signal: AbortSignal,
): Promise<void> {
  const outcomes = findings.slice(0, 100).map((finding, index) => outcomeOf(finding, index));
  const body = JSON.stringify({
    data: {
      type: 'task-results',
      attributes: { status, message },
      relationships: { outcomes: { data: outcomes } },
    },
  });
  const answer = await call({ method: 'PATCH', url, token, body, limit: longestAnswer, signal });
  if (answer.status < 200 || answer.status > 299) throw away(url, `answered ${answer.status} to the result`);
}

const outcomeOf = ({ resource, level, text }: Finding, index: number): object => ({
  type: 'task-result-outcomes',
  attributes: {
    'outcome-id': `BAKEHOUSE-${index + 1}`,
    description: `${resource}: ${text}`.slice(0, 1000),
    tags: {
      Status: [
        {
          label: level === 'error' ? 'Failed' : level === 'warning' ? 'Warning' : 'Info',
          level: level === 'info' ? 'none' : level,
        },
      ],
    },
  },
});

const away = (url: string, what: string, cause?: unknown): Failure =>
  new Failure('provider_unavailable', `${new URL(url).host} ${what}`, { cause });

async function call({ method, url, token, body, limit, signal }: Call): Promise<Answer> {
  const to = new URL(url);
  if (isRefusedAddress(to.hostname)) throw new Failure('permission_denied', refusal(to.hostname));
  const deadline = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    const request = (to.protocol === 'https:' ? httpsRequest : httpRequest)(
      to,
      {
        method,
        agent: false,
        lookup: lookUpAllowed,
        signal: AbortSignal.any([signal, deadline]),
        headers: {
          'user-agent': 'bakehouse',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/vnd.api+json', 'content-length': Buffer.byteLength(body) }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > limit) response.destroy(new Error(`answered more than ${limit} bytes`));
          else chunks.push(chunk);
        });
        response.on('error', (error) => reject(away(url, error.message, error)));
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            location: response.headers.location,
            text: Buffer.concat(chunks).toString('utf8'),
          });
        });
      },
    );
    request.on('error', (error) => {
      reject(
        away(
          url,
          deadline.aborted
            ? `did not answer within ${timeoutMs / 1000} s`
            : `cannot be reached: ${error.message}`,
          error,
        ),
      );
    });
    request.end(body);
  });
}
