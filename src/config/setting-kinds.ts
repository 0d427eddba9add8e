/** The kinds of values that settings have, read from the text of an environment variable. Messages say what to write. */
import { isIP } from 'node:net';
import { z } from 'zod';

import { parseDuration } from '../domain/duration.ts';
import { Secret } from './secret.ts';

export interface Listen {
  readonly host: string;
  readonly port: number;
}

export const text = () => z.string().trim().min(1, 'is empty: leave it out, or write a value');

/** What `Authorization: Bearer` can carry. */
export const isToken = (value: string): boolean => /^[\x21-\x7e]+$/.test(value);

export const noToken =
  'holds a space, a line break or a character that is not ASCII: no caller could send it';

export const token = () =>
  text()
    .refine(isToken, { message: noToken })
    .transform((value) => new Secret(value));

export const whole = (least: number, most: number) =>
  z
    .string()
    .trim()
    .refine((value) => /^\d{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most, {
      message: `is not a whole number from ${least} to ${most}`,
    })
    .transform(Number);

export const port = () => whole(1, 65_535);

/** Milliseconds from `90s`, `15m`, `1d12h`; tests also write `250ms`. */
export const duration = () =>
  z.string().transform((value, context) => {
    const ms = /^\s*(\d{1,9})ms\s*$/.exec(value);
    if (ms !== null) return Number(ms[1]);
    try {
      return parseDuration(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });

/** `host:port`; `[::1]:8400` for IPv6. */
export const listen = (example = '127.0.0.1:8400') =>
  z.string().transform((value, context): Listen => {
    const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(value.trim());
    const host = match?.[1] ?? match?.[2];
    const number = Number(match?.[3]);
    if (host !== undefined && number >= 1 && number <= 65_535) return { host, port: number };
    context.addIssue({ code: 'custom', message: `is not host:port: write for example ${example}` });
    return z.NEVER;
  });

/** `host:port` of a server that is called, as text. */
export const address = (example: string) =>
  listen(example).transform(({ host, port: number }) =>
    host.includes(':') ? `[${host}]:${number}` : `${host}:${number}`,
  );

/** PostgreSQL's address. It holds a password, so it is a secret as a whole. */
export const postgresUrl = () =>
  text()
    .refine((value) => /^postgres(ql)?:\/\//.test(value) && URL.canParse(value), {
      message: 'is not a PostgreSQL address: write postgres://user:password@host:5432/database',
    })
    .transform((value) => new Secret(value));

export const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `is none of ${values.join(', ')}` });

/** Addresses and networks, with commas in between. */
export const networks = () =>
  z.string().transform((value, context): readonly string[] => {
    const all = value
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '');
    const wrong = all.find((one) => !isNetwork(one));
    if (wrong === undefined) return all;
    context.addIssue({
      code: 'custom',
      message: `names "${wrong}", which is no address: write for example 10.0.0.5,192.168.0.0/16`,
    });
    return z.NEVER;
  });

function isNetwork(value: string): boolean {
  const [host = '', bits, ...more] = value.split('/');
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(host)] ?? -1;
  if (longest < 0 || more.length > 0) return false;
  // Not 0, which is everybody: whoever is believed can call from any address.
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= longest);
}
