/** How a command is added: its words, an example, and an action that gets a context. */
import type { Command, Option } from 'commander';
import { Failure } from '../domain/failure.ts';
import { contextOf } from './context.ts';
import type { CommandContext } from './context.ts';

export interface CommandWords {
  /** `promote <bucket> <version> <channel>`. */
  readonly usage: string;
  readonly summary: string;
  /** Complete command lines, the most usual first. */
  readonly examples: readonly string[];
  /** What the summary leaves out. */
  readonly details?: string;
  /** Which of the program's options mean something to it; by default all. */
  readonly shared?: readonly SharedOption[];
}

const sharedOptions = ['project', 'url', 'dataDir', 'json'] as const;
type SharedOption = (typeof sharedOptions)[number];

/** A command without its action; options are added by the caller. */
export function describe(
  parent: Command,
  { usage, summary, examples, details, shared = sharedOptions }: CommandWords,
): Command {
  const shown = examples.map((line) => `  $ ${line}\n`).join('');
  const command = parent
    .command(usage)
    .summary(summary)
    .description(details === undefined ? summary : `${summary}\n\n${details}`)
    .addHelpText('after', `\nExamples:\n${shown}`);
  const others = sharedOptions.filter((name) => !shared.includes(name));
  if (others.length > 0) withoutOptions(parent, command, others);
  return command;
}

/** Commander reads the program's options behind every command: what would do nothing there is refused, and is not in the help. */
function withoutOptions(parent: Command, command: Command, names: readonly string[]): void {
  const isTaken = (option: Option) => !names.includes(option.attributeName());
  command.configureHelp({
    ...command.configureHelp(),
    visibleGlobalOptions: () => parent.options.filter(isTaken),
  });
  command.hook('preAction', () => {
    const given = parent.options.filter(
      (option) => !isTaken(option) && parent.getOptionValueSource(option.attributeName()) === 'cli',
    );
    if (given.length === 0) return;
    const flags = given.map(({ long, flags: written }) => long ?? written).join(', ');
    throw new Failure(
      'invalid_input',
      `\`bakehouse ${command.name()}\` takes no ${flags}: leave it out; its settings come from the environment (docs/reference/config.md)`,
    );
  });
}

/** Calls `run` with the context and the arguments by position. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- commander types options by what the caller says they are.
export function act<Options>(
  command: Command,
  run: (context: CommandContext, options: Options, args: readonly string[]) => Promise<void>,
): void {
  command.action(async () => {
    await run(
      contextOf(command),
      command.opts<Options & Record<string, unknown>>(),
      command.processedArgs.map(toText),
    );
  });
}

const toText = (value: unknown): string => (typeof value === 'string' ? value : '');
