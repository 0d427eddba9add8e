/** One call of a webhook: bounded in time, without redirects, and nothing of the answer is read but its status. */
import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { WebhookAttempt, WebhookPayload } from '../domain/webhook.ts';
import { isTaken } from '../domain/webhook.ts';
import { isRefusedAddress, lookUpAllowed, refusal } from './refused-addresses.ts';

interface Call {
  readonly url: string;
  readonly payload: WebhookPayload;
  /** Absent: the call is not signed. */
  readonly key: string | undefined;
  readonly signal?: AbortSignal;
  /** For all of it; 10 s when absent. */
  readonly timeoutMs?: number;
}

/** Never throws: what went wrong is what is kept of the attempt. */
export async function sendWebhook(call: Call): Promise<WebhookAttempt> {
  try {
    const statusCode = await post(call);
    const attempt = { url: call.url, statusCode, error: null };
    return isTaken(attempt) ? attempt : { ...attempt, error: `it answered ${statusCode}, which is not 2xx` };
  } catch (error) {
    const message = error instanceof Error ? error.message || error.name : String(error);
    return { url: call.url, statusCode: null, error: message.replaceAll('\0', '').slice(0, 300) };
  }
}

async function post({ url, payload, key, signal, timeoutMs = 10_000 }: Call): Promise<number> {
  const to = new URL(url);
  if (isRefusedAddress(to.hostname)) throw new Error(refusal(to.hostname));
  const body = Buffer.from(JSON.stringify(payload));
  const deadline = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    const request = (to.protocol === 'https:' ? httpsRequest : httpRequest)(
      to,
      {
        method: 'POST',
        agent: false,
        lookup: lookUpAllowed,
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
        headers: {
          'content-type': 'application/json',
          'content-length': body.length,
          'user-agent': 'bakehouse',
          ...(key === undefined ? {} : { 'x-hcp-webhook-signature': signatureOf(key, body) }),
        },
      },
      (response) => {
        resolve(response.statusCode ?? 0);
        response.destroy();
      },
    );
    request.on('error', (error) => {
      reject(
        deadline.aborted ? new Error(`no answer within ${timeoutMs / 1000} s`, { cause: error }) : error,
      );
    });
    request.end(body);
  });
}

const signatureOf = (key: string, body: Buffer): string =>
  createHmac('sha512', key).update(body).digest('hex');
