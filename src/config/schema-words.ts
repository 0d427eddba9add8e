/** Building blocks of the `bakehouse.yaml` schema: strict mappings that name the key that was meant, durations, names. */
import { z } from 'zod';
import { parseDuration } from '../domain/duration.ts';
import { isFailure } from '../domain/failure.ts';
import { checkName } from '../domain/names.ts';
import { nearestName } from './nearest-name.ts';

/** A mapping without room for other keys; the message for unknown ones has a line for each, naming the nearest valid key. */
export function mapping<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => unknownKey(key, keys)).join('\n');
      }
      return issue.code === 'invalid_type' ? `expected a mapping with ${listed(keys)}` : undefined;
    },
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearestName(key, known);
  const meant = near === undefined ? `valid keys: ${listed(known)}` : `did you mean \`${near}\`?`;
  return `unknown key \`${key}\`; ${meant}`;
}

const listed = (keys: readonly string[]): string => keys.map((key) => `\`${key}\``).join(', ');

/** YAML numbers are refused where a text belongs, because `1.10` would arrive as `1.1`. */
export const anyText = (what: string) =>
  z.string({
    error: (issue) => {
      const plain = typeof issue.input === 'number' || typeof issue.input === 'boolean';
      return plain ? `${what} must be text: put it in quotes, "${String(issue.input)}"` : undefined;
    },
  });

/** Text with at least one visible character. */
export const text = (what: string) =>
  anyText(what).refine((value) => value.trim() !== '', `${what} is empty`);

/** `30d`, `1d12h`, `90s`; answers milliseconds. */
export const duration = (description: string, least = 0) =>
  z
    .string({
      error: () => 'expected a duration, for example 90s, 15m, 12h, 30d or 1d12h',
    })
    .transform((written, context) => {
      const ms = attempt(() => parseDuration(written), context);
      if (ms !== undefined && ms < least) context.addIssue(`must be at least ${least / 1000}s`);
      return ms ?? 0;
    })
    .meta({ description, examples: ['30m', '30d'] });

/** A bucket's, channel's or project's name by the rule of `domain/names.ts`. */
export const name = (kind: 'bucket' | 'channel' | 'project') =>
  z.string().superRefine((value, context) => {
    attempt(() => checkName(kind, value), context);
  });

interface Issues {
  addIssue(message: string): void;
}

/** Turns a refusal of a domain rule into an issue at this place of the file. */
function attempt<T>(rule: () => T, context: Issues): T | undefined {
  try {
    return rule();
  } catch (error) {
    if (!isFailure(error)) throw error;
    context.addIssue(error.message);
    return undefined;
  }
}
