/** Temporal's SDK logs through our logger; its native part too, else it prints its own lines beside ours. */
import type { Logger as TemporalLogger } from '@temporalio/common';

import type { Logger } from './logger.ts';
import { createOutageLines } from './outage-lines.ts';

/** Warnings repeat while a server is away: once per half minute is enough. */
const outageEveryMs = 30_000;

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

type Fields = Readonly<Record<string | symbol, unknown>>;

export function createTemporalLogger(logger: Logger): TemporalLogger {
  const outages = createOutageLines(outageEveryMs);
  const log = (told: keyof typeof levels, message: string, fields: Fields = {}): void => {
    const level = isMachinery(told, message, fields) ? 'DEBUG' : told;
    const repeated = level === 'WARN' || level === 'ERROR' ? outages.admit(message) : 0;
    if (repeated === undefined) return;
    const counted = repeated === 0 ? {} : { repeated };
    logger[levels[level]]({ ...plain(fields), ...counted }, message);
  };
  return {
    log,
    trace: (message, fields) => log('TRACE', message, fields),
    debug: (message, fields) => log('DEBUG', message, fields),
    info: (message, fields) => log('INFO', message, fields),
    warn: (message, fields) => log('WARN', message, fields),
    error: (message, fields) => log('ERROR', message, fields),
  };
}

/** States of the SDK's own machine room, and that a bake host has no workflows, are for those who look for a defect. */
function isMachinery(level: string, message: string, fields: Fields): boolean {
  return (
    (level === 'INFO' && fields['sdkComponent'] === 'worker') || message.startsWith('No workflows registered')
  );
}

/** The SDK's fields hold symbols and big integers, which JSON does not know. */
function plain(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key === 'error' ? 'err' : key,
      typeof value === 'bigint' ? value.toString() : value,
    ]),
  );
}
