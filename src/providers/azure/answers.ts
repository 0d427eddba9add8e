/**
 * What Azure answered to a call that failed. The SDK's pages throw without it, and its errors carry the whole request, token and all:
 * neither may decide what a failure says.
 */
interface Request {
  readonly url: string;
}

interface Response {
  readonly status: number;
  readonly bodyAsText?: string | null;
}

const answers = new WeakMap<object, string>();

/** Of the SDK's pipeline. */
export const keepAnswers = {
  name: 'keepAnswers',
  async sendRequest<Q extends Request, R extends Response>(
    request: Q,
    next: (request: Q) => Promise<R>,
  ): Promise<R> {
    const response = await next(request);
    if (response.status >= 400) answers.set(request, response.bodyAsText ?? '');
    return response;
  },
};

/** Azure's own code and words: https://learn.microsoft.com/rest/api/azure/#error-response */
export function answerOf(error: Error): { readonly code?: string; readonly message?: string } {
  const request = 'request' in error ? error.request : undefined;
  const text = typeof request === 'object' && request !== null ? answers.get(request) : undefined;
  if (text === undefined || text === '') return {};
  try {
    const body: { readonly error?: { readonly code?: unknown; readonly message?: unknown } } =
      JSON.parse(text);
    const { code, message } = body.error ?? {};
    return {
      ...(typeof code === 'string' ? { code } : {}),
      ...(typeof message === 'string' ? { message } : {}),
    };
  } catch {
    return {};
  }
}
