/** The logger of a process: JSON lines on stderr, or readable ones on a terminal. Facts are fields, never parts of the message. */
import type { DestinationStream, Logger } from 'pino';
import { destination, pino, stdTimeFunctions } from 'pino';

import type { Settings } from '../config/settings.ts';
import { prettyStream } from './pretty.ts';

export type { Logger } from 'pino';

export interface LoggerOptions {
  readonly settings: Settings['log'];
  /** `server`, `worker`, `bake-host`, `up`. */
  readonly process: string;
  /** By default stderr, written at once: the last lines before a crash are the ones that matter. */
  readonly to?: DestinationStream;
}

/** Fields that are blanked wherever they stand: a last guard, after never logging them. */
const secretFields = ['token', 'password', 'secret', 'authorization', 'databaseUrl', 'privateKey'];

const passwordInUrl = /([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s@/]+@/gi;

/** Passwords in addresses, as drivers like to put them into messages. */
function withoutPasswords(line: string): string {
  return line.replaceAll(passwordInUrl, '$1***@');
}

export function createLogger({ settings, process: part, to }: LoggerOptions): Logger {
  const pretty = settings.format === 'pretty' || (settings.format === 'auto' && process.stderr.isTTY);
  const stream = to ?? (pretty ? prettyStream(process.stderr) : destination({ fd: 2, sync: true }));
  return pino(
    {
      level: settings.level,
      base: { process: part },
      timestamp: stdTimeFunctions.isoTime,
      redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`]), censor: '***' },
      hooks: { streamWrite: withoutPasswords },
    },
    stream,
  );
}
