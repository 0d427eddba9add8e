/** What became of a call that was not answered, or not by Bakehouse. */
import { Failure } from '../domain/failure.ts';
import type { FailureCode } from '../domain/failure.ts';

interface Called {
  readonly url: string;
  readonly signal?: AbortSignal;
}

export function unanswered(error: unknown, { url, signal }: Called, timeoutMs: number): Failure {
  if (signal?.aborted === true) return new Failure('cancelled', 'the call was stopped', { cause: error });
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new Failure('provider_unavailable', `${url} did not answer within ${timeoutMs / 1000} s`, {
      cause: error,
    });
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Failure(
    'provider_unavailable',
    `no answer from ${url}: ${why}; is the server running (\`bakehouse up\`), and is the address right?`,
    { cause: error },
  );
}

/** For answers of something in between, and of the token endpoint, whose words are OAuth's. */
export function codeOfStatus(http: number): FailureCode {
  if (http === 401) return 'unauthenticated';
  if (http === 403) return 'permission_denied';
  if (http === 429) return 'rate_limited';
  return http >= 500 ? 'provider_unavailable' : 'invalid_input';
}
