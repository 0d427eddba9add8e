/** `/healthz`: the process answers. `/readyz`: it can answer readers, which takes PostgreSQL and never Temporal. */
import type { FastifyInstance } from 'fastify';
import { Failure } from '../domain/failure.ts';
import type { AppDeps } from './app.ts';
import { sendStatus, toStatus } from './errors.ts';

const patienceMs = 2000;

export function registerHealth(app: FastifyInstance, deps: AppDeps): void {
  app.get('/healthz', () => ({ ok: true }));
  app.get('/readyz', async (_, reply) => {
    try {
      return { ok: true, databaseTime: await within(deps.registry.now(), patienceMs) };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const failure = new Failure('provider_unavailable', `PostgreSQL does not answer: ${why}`, {
        cause: error,
      });
      await sendStatus(reply, toStatus(failure));
      return reply;
    }
  });
}

async function within<T>(answer: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
