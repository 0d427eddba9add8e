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

/** Commands to which not all of the program's options mean something. */
const own: Readonly<Record<string, readonly string[]>> = {
  up: ['--data-dir', '--json'],
  down: ['--data-dir', '--json'],
  server: [],
  worker: [],
  'bake-host': [],
  keys: ['--json'],
  projects: ['--url', '--data-dir', '--json'],
  vulnerabilities: ['--url', '--data-dir', '--json'],
};
const listed = (option: string) => new RegExp(`^ {2}${option}\\b`, 'm');

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
    const takes = own[name] ?? ['--project', '--url', '--data-dir', '--json'];
    for (const option of [...takes, '-h, --help']) expect(printed).toMatch(listed(option));
    for (const option of ['--project', '--url', '--data-dir', '--json'])
      if (!takes.includes(option)) expect(printed).not.toMatch(listed(option));
  });

  it.each(['up --project a', 'server --url http://x', 'worker --json', 'bake-host --data-dir /x'])(
    '%s: what would do nothing is refused before anything starts',
    async (line) => {
      const [name = '', option = ''] = line.split(' ');
      const program = buildProgram();
      for (const command of program.commands)
        command.action(() => {
          throw new Error('it was started');
        });
      await expect(program.parseAsync(['node', 'bakehouse', ...line.split(' ')])).rejects.toThrow(
        `\`bakehouse ${name}\` takes no ${option}: leave it out`,
      );
    },
  );

  it('has the commands that people were promised', () => {
    const promised =
      'up server worker bake-host apply release bake cancel versions channels resolve promote approve reject revoke ' +
      'restore lift reschedule rollback receipts events logs requests hosts doctor env principals projects';

    expect(names).toEqual(expect.arrayContaining(promised.split(' ')));
  });
});
