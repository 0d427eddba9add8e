/** What the token endpoint refuses, in OAuth's words. */
import type { FastifyBaseLogger, FastifyReply } from 'fastify';
import { isFailure } from '../../domain/failure.ts';
import { refusedByFramework } from '../errors.ts';
import { tokenEndpoint, tokenErrors } from './endpoint.ts';

type Word = keyof typeof tokenErrors;

export class TokenRefusal extends Error {
  readonly word: Word;
  readonly retryAfterMs: number | undefined;
  /** As it was sent: whoever asked. */
  readonly clientId: string | undefined;

  constructor(
    word: Word,
    description: string,
    { retryAfterMs, clientId }: { readonly retryAfterMs?: number; readonly clientId?: string } = {},
  ) {
    super(description);
    this.name = 'TokenRefusal';
    this.word = word;
    this.retryAfterMs = retryAfterMs;
    this.clientId = clientId;
  }
}

/** Names of hosts and tables stay in the log. OAuth has no word for a defect: what failed here may work at the next try. */
export function tokenRefusalOf(error: unknown, requestId: string, log: FastifyBaseLogger): TokenRefusal {
  if (error instanceof TokenRefusal) return error;
  const unreadable = refusedByFramework(error);
  if (unreadable !== undefined) return new TokenRefusal('invalid_request', unreadable.body.message);
  if (isFailure(error) && error.code === 'provider_unavailable') {
    return new TokenRefusal(
      'temporarily_unavailable',
      'The registry does not answer. Try again.',
      error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs },
    );
  }
  log.error({ err: error, requestId }, 'a token was not issued by a defect of ours');
  return new TokenRefusal(
    'temporarily_unavailable',
    `The server failed; its log has the cause under ${requestId}.`,
  );
}

export async function sendRefusal(reply: FastifyReply, refusal: TokenRefusal): Promise<void> {
  const { word, message, retryAfterMs } = refusal;
  if (word === 'invalid_client') reply.header('www-authenticate', tokenEndpoint.challenge);
  if (retryAfterMs !== undefined) {
    reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  }
  await reply
    .code(tokenErrors[word])
    .type('application/json; charset=utf-8')
    .send({ error: word, error_description: message });
}
