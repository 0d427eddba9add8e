import type { CheckSpec } from './image-line.ts';

/** Why a line's tests cannot be made where `noCommands`, a launch setting, lets no command into the machine. Undefined: they can. */
export function refusedCommands(
  noCommands: string | undefined,
  tests: readonly CheckSpec[],
): string | undefined {
  const commands = tests.filter(({ kind }) => kind === 'command').map(({ name }) => `"${name}"`);
  if (noCommands === undefined || commands.length === 0) return undefined;
  return `with \`${noCommands}\` no command can be run in the machine, and tests of the line are commands (${commands.join(', ')}): remove the setting, or write these tests as \`console\` patterns`;
}
