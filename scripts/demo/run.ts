import pc from 'picocolors';
import { bakehouse, type Ended } from './bakehouse.ts';

/**
 * The timeline on the terminal: what was typed, what came of it, how long it took. Once the demo is interrupted every line of the story
 * throws, and so the story ends.
 */
export class DemoRun {
  readonly #interruption: AbortSignal;
  readonly #began = performance.now();
  #live = false;
  #last = '';

  constructor(interruption: AbortSignal) {
    this.#interruption = interruption;
  }

  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  chapter(title: string): void {
    this.#line(`\n${pc.bold(title)}`);
  }

  /** Something that happened. */
  say(text: string): void {
    this.#line(`${pc.dim(this.#clock())} ${text}`);
  }

  seen(text: string): void {
    this.say(`${pc.green('✓')} ${text}`);
  }

  /** Progress of something that is under way: replaced in place on a terminal, one line for each change elsewhere. */
  progress(text: string): void {
    this.#interruption.throwIfAborted();
    if (!process.stdout.isTTY) {
      if (text !== this.#last) this.say(pc.dim(text));
      this.#last = text;
      return;
    }
    process.stdout.write(
      `\r\u001B[2K${pc.dim(this.#clock())} ${pc.dim(text)}`.slice(0, process.stdout.columns + 20),
    );
    this.#live = true;
  }

  fail(error: unknown): void {
    this.#print(`\n${pc.red('✗')} ${error instanceof Error ? error.message : String(error)}`);
  }

  /** About its end, which an interruption does not stop. */
  close(text: string): void {
    this.#print(`${pc.dim(this.#clock())} ${text}`);
  }

  /** Runs `bakehouse …` as an operator would, `--json` added; answers what it printed. Throws what it said when it fails. */
  async cli(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<unknown> {
    const { code, stdout, stderr } = await this.#type(env, args, ['--json']);
    if (code !== 0) throw new Error(`\`bakehouse ${args.join(' ')}\` ended ${code}: ${stderr.trim()}`);
    return JSON.parse(stdout);
  }

  /** The same for a command that must be refused; answers exit code and message. */
  async refused(
    env: Readonly<Record<string, string>>,
    ...args: readonly string[]
  ): Promise<{ code: number; message: string }> {
    const { code, stderr } = await this.#type(env, args, []);
    if (code === 0) throw new Error(`\`bakehouse ${args.join(' ')}\` should have been refused`);
    return { code, message: stderr.trim() };
  }

  async #type(
    env: Readonly<Record<string, string>>,
    args: readonly string[],
    more: readonly string[],
  ): Promise<Ended> {
    this.#line(`${pc.dim(this.#clock())} ${pc.cyan(`$ bakehouse ${args.map(quoted).join(' ')}`)}`);
    return bakehouse(env, [...args, ...more]);
  }

  #line(text: string): void {
    this.#interruption.throwIfAborted();
    this.#print(text);
  }

  #print(text: string): void {
    if (this.#live) process.stdout.write('\r\u001B[2K');
    this.#live = false;
    console.log(text);
  }

  #clock(): string {
    return `${this.seconds.toFixed(1).padStart(6)} s`;
  }
}

const quoted = (arg: string): string => (/\s/.test(arg) ? `'${arg}'` : arg);
