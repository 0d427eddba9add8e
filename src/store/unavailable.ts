import { Failure, isFailure } from '../domain/failure.ts';

/** `host:port/database` of a connection URL: what may be shown. */
export function addressOf(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new Failure(
      'invalid_input',
      'The database URL cannot be read. Write it as postgres://user:password@host:5432/database.',
    );
  }
  const host = parsed.hostname || parsed.searchParams.get('host') || 'localhost';
  return `${host}:${parsed.port || '5432'}${decodeURIComponent(parsed.pathname)}`;
}

/** SQLSTATEs and socket errors that mean "the server is not there now". */
const away = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'ENOENT', 'EHOSTUNREACH',
  '08000', '08001', '08003', '08004', '08006',
  '53300', '57P01', '57P02', '57P03', '57P05', '25P03',
]); // prettier-ignore

/** pg has no code for these. */
const awayMessage =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable|Cannot use a pool after calling end/i;

/** SQLSTATE of a PostgreSQL error, `E…` code of a system error. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The error itself, or a `Failure` when it says that the database is away or refused us. */
export function unavailable(error: unknown, address: string): unknown {
  if (isFailure(error) || !(error instanceof Error)) return error;
  const state = sqlState(error);
  const why = error.message || state || error.name;
  if (state === '28P01' || state === '28000' || state === '3D000') {
    return new Failure(
      'provider_credentials',
      `PostgreSQL at ${address} refused us: ${why}. Check DATABASE_URL: user, password and database.`,
      { cause: error },
    );
  }
  // Busy, not away; nothing of ours was written.
  if (state === '55P03' || state === '57014') return busy(error, address);
  if ((state !== undefined && away.has(state)) || awayMessage.test(error.message)) {
    return new Failure(
      'provider_unavailable',
      `PostgreSQL at ${address} does not answer: ${why}. It is tried again; check that the server runs and that DATABASE_URL is right.`,
      { cause: error },
    );
  }
  return error;
}

/** A deadlock is one of these where nothing runs the whole again by itself, as `transact` does. */
export function busy(error: Error, address: string): Failure {
  return new Failure(
    'provider_unavailable',
    `PostgreSQL at ${address} was too slow: ${error.message}. It is tried again; if it stays, look for long transactions in pg_stat_activity.`,
    { cause: error },
  );
}
