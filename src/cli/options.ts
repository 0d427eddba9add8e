/** Readers of option values; what they refuse ends with exit code 2. */
import { Failure } from '../domain/failure.ts';

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Failure('invalid_input', `"${text}" is not a whole number`);
  return Number(text);
}

/** `--var name=value`, collected. */
export function variable(
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new Failure('invalid_input', `--var "${text}": write name=value`);
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Packer's and CI's secrets do not belong on command lines, but reasons do: they are demanded here, not by a prompt. */
export function required(value: string | undefined, option: string, example: string): string {
  if (value !== undefined && value.trim() !== '') return value;
  throw new Failure('invalid_input', `${option} is missing: write ${option} ${example}`);
}
