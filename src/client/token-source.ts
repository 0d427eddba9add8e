/** Tokens of a service principal: its client id and secret in, a token for some time out, a new one before that is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, isFailure } from '../domain/failure.ts';
import { codeOfStatus, unanswered } from './unanswered.ts';

export interface TokenCall {
  /** A token that a server has just refused: it is not answered again. */
  readonly refused?: string | undefined;
  /** Ends the asking with `cancelled`. */
  readonly signal?: AbortSignal | undefined;
}

/** Answers a token that works now. */
export type TokenSource = (call?: TokenCall) => Promise<string>;

export interface ClientSecret {
  /** Address of the server, `https://bakehouse.example`. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

interface KeptToken {
  readonly token: string;
  /** Milliseconds since 1970, after which it is not used. */
  readonly until: number;
}

/** Where the last token outlives the program. Whatever goes wrong there is nobody's business: one is asked for. */
export interface TokenKeeper {
  read(): KeptToken | undefined;
  write(token: KeptToken): void;
}

export interface TokenSourceOptions {
  readonly keeper?: TokenKeeper;
  /** How long a server that answers 429 is asked again, in milliseconds; two minutes when absent. */
  readonly patienceMs?: number;
  readonly now?: () => number;
}

const timeoutMs = 30_000;
/** A call that is sent with a token must arrive before it is over. */
const spareMs = 30_000;

/** Asks once for calls that come at the same time. A refusal is a `Failure`, and the next call asks again. */
export function clientCredentials(
  client: ClientSecret,
  { keeper, patienceMs = 120_000, now = Date.now }: TokenSourceOptions = {},
): TokenSource {
  const kept = keeper?.read();
  let last = kept === undefined ? undefined : { ...kept, promise: Promise.resolve(kept.token) };
  return ({ refused, signal } = {}) => {
    if (last !== undefined && now() < last.until && last.token !== refused) return last.promise;
    const asked = { token: '', until: Number.POSITIVE_INFINITY, promise: Promise.resolve('') };
    asked.promise = askPatiently(client, patienceMs, signal).then(
      ({ token, lifeMs }) => {
        asked.token = token;
        asked.until = now() + lifeMs - spareMs;
        keeper?.write({ token, until: asked.until });
        return token;
      },
      (error: unknown) => {
        asked.until = 0;
        throw error;
      },
    );
    last = asked;
    return asked.promise;
  };
}

interface Given {
  readonly token: string;
  readonly lifeMs: number;
}

/** A crowd that is told to wait must not come back all at once. */
async function askPatiently(
  client: ClientSecret,
  patienceMs: number,
  signal: AbortSignal | undefined,
): Promise<Given> {
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      return await ask(client, signal);
    } catch (error) {
      if (!isFailure(error) || error.code !== 'rate_limited') throw error;
      const waitMs = (error.retryAfterMs ?? 1000) * (1 + Math.random() / 2);
      if (performance.now() + waitMs > end) throw error;
      await sleep(waitMs, undefined, signal === undefined ? {} : { signal }).catch((stopped: unknown) => {
        throw new Failure('cancelled', 'the call was stopped', { cause: stopped });
      });
    }
  }
}

async function ask(
  { url, clientId, clientSecret }: ClientSecret,
  signal: AbortSignal | undefined,
): Promise<Given> {
  const basic = [clientId, clientSecret].map(encodeURIComponent).join(':');
  const timeout = AbortSignal.timeout(timeoutMs);
  let answer: Response;
  let body: unknown;
  try {
    answer = await fetch(`${url.replace(/\/+$/, '')}/oauth2/token`, {
      method: 'POST',
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      redirect: 'error',
      headers: { authorization: `Basic ${Buffer.from(basic).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const text = await answer.text();
    body = parsed(text);
  } catch (error) {
    throw unanswered(error, signal === undefined ? { url } : { url, signal }, timeoutMs);
  }
  const field = (name: string): unknown =>
    typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
  const [token, seconds, why] = ['access_token', 'expires_in', 'error_description'].map(field);
  if (answer.ok && typeof token === 'string' && typeof seconds === 'number') {
    return { token, lifeMs: seconds * 1000 };
  }
  const retryAfter = Number(answer.headers.get('retry-after') ?? Number.NaN);
  throw new Failure(
    codeOfStatus(answer.status),
    `${url} gave no token to ${clientId}: ${typeof why === 'string' ? why : `it answered ${answer.status}`}`,
    Number.isFinite(retryAfter) ? { retryAfterMs: retryAfter * 1000 } : {},
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
