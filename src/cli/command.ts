/** How a command is added: its words, an example, and an action that gets a context. */
import type { Command } from 'commander';
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
}

/** A command without its action; options are added by the caller. */
export function describe(parent: Command, { usage, summary, examples, details }: CommandWords): Command {
  const shown = examples.map((line) => `  $ ${line}\n`).join('');
  return parent
    .command(usage)
    .summary(summary)
    .description(details === undefined ? summary : `${summary}\n\n${details}`)
    .addHelpText('after', `\nExamples:\n${shown}`);
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
