import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { buildProgram } from '../../src/cli/program.ts';

/** What `-h` prints, without a process for each. */
async function help(args: readonly string[]): Promise<string> {
  const program = buildProgram();
  let printed = '';
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeOut: (text) => (printed += text), writeErr: (text) => (printed += text) });
  }
  await program.parseAsync(['node', 'bakehouse', ...args, '-h']).catch((error: unknown) => {
    expect(error).toMatchObject({ code: 'commander.helpDisplayed', exitCode: 0 });
  });
  return printed;
}

const names = buildProgram().commands.map((command) => command.name());

describe('-h', () => {
  it('lists every command and what the exit codes mean', async () => {
    const printed = await help([]);

    for (const name of names) expect(printed).toContain(`\n  ${name}`);
    for (const [code, meaning] of Object.entries(exitCodes))
      expect(printed).toContain(`${code.padEnd(4)} ${meaning}`);
  });

  it.each(names)('%s: tells what it does, its options and an example', async (name) => {
    const printed = await help([name]);

    expect(printed).toMatch(new RegExp(`^Usage: bakehouse ${name}`));
    expect(printed).toContain(`bakehouse ${name}`);
    expect(printed).toMatch(/Examples:\n {2}\$ /);
    for (const option of ['--project', '--url', '--json', '-h, --help']) expect(printed).toContain(option);
  });

  it('has the commands that people were promised', () => {
    const promised =
      'up server worker bake-host apply release bake cancel versions channels resolve promote approve reject revoke ' +
      'restore lift reschedule rollback receipts events logs requests hosts doctor env';

    expect(names).toEqual(expect.arrayContaining(promised.split(' ')));
  });
});
