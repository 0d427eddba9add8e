/**
 * What a person types into the start form, checked in a workflow's first lines. The form sends one JSON value; every refusal names the
 * field and shows what to write.
 */
import type { WorkflowName } from '../domain/events.ts';
import { failing } from './failing.ts';

export const defaultProject = 'default';

export interface Form {
  /** The field is there and not null. */
  has(field: string): boolean;
  text(field: string): string;
  optionalText(field: string): string | undefined;
  /** A whole number from 1. */
  count(field: string): number;
  flag(field: string, otherwise: boolean): boolean;
  /** An object of texts; `{}` when absent. */
  texts(field: string): Readonly<Record<string, string>>;
  /** Refuses fields that the form does not have: a misspelt one must not be ignored. */
  only(...fields: readonly string[]): void;
  /** `what` goes on after the workflow's name: "`at` lies in the past". */
  refuse(what: string): never;
}

/** `example` is shown in every refusal: `{"bucket":"base"}`. */
export function formOf(workflow: WorkflowName, input: unknown, example: string): Form {
  const refuse = (what: string): never => {
    throw failing('invalid_input', `${workflow}: ${what}; write ${example}`);
  };
  if (!isObject(input)) return refuse('the input must be one JSON object');
  const fields = input;
  const has = (field: string) => fields[field] !== undefined && fields[field] !== null;
  const present = (field: string) => (has(field) ? fields[field] : refuse(`\`${field}\` is missing`));
  const text = (field: string) => {
    const value = present(field);
    return typeof value === 'string' && value !== '' ? value : refuse(`\`${field}\` must be a text`);
  };
  return {
    has,
    text,
    optionalText: (field) => (has(field) ? text(field) : undefined),
    count: (field) => {
      const value = present(field);
      const isCount = typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
      return isCount ? value : refuse(`\`${field}\` must be a whole number from 1`);
    },
    flag: (field, otherwise) => {
      const value = has(field) ? fields[field] : otherwise;
      return typeof value === 'boolean' ? value : refuse(`\`${field}\` must be true or false`);
    },
    texts: (field) => {
      const value = has(field) ? fields[field] : {};
      return isTexts(value) ? value : refuse(`\`${field}\` must be an object of texts`);
    },
    only: (...known) => {
      const strange = Object.keys(fields).find((field) => !known.includes(field));
      if (strange !== undefined) refuse(`\`${strange}\` is not a field (there are ${known.join(', ')})`);
    },
    refuse,
  };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  isObject(value) && Object.values(value).every((text) => typeof text === 'string');
