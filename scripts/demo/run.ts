import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';

const bin = fileURLToPath(new URL('../../bin/bakehouse', import.meta.url));

/** The timeline on the terminal: what was typed, what came of it, how long it took. */
export class DemoRun {
  readonly #began = performance.now();
  #live = false;
  #last = '';

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
    this.#line(`\n${pc.red('✗')} ${error instanceof Error ? error.message : String(error)}`);
  }

  /** Runs `bakehouse …` as an operator would, `--json` added; answers what it printed. Throws what it said when it fails. */
  cli(env: Readonly<Record<string, string>>, ...args: readonly string[]): unknown {
    this.#line(`${pc.dim(this.#clock())} ${pc.cyan(`$ bakehouse ${args.map(quoted).join(' ')}`)}`);
    return JSON.parse(this.#run(env, [...args, '--json']));
  }

  /** The same for a command that must be refused; answers exit code and message. */
  refused(
    env: Readonly<Record<string, string>>,
    ...args: readonly string[]
  ): { code: number; message: string } {
    this.#line(`${pc.dim(this.#clock())} ${pc.cyan(`$ bakehouse ${args.map(quoted).join(' ')}`)}`);
    const done = spawnSync(bin, args, { encoding: 'utf8', env: { ...process.env, ...env } });
    if (done.status === 0) throw new Error(`\`bakehouse ${args.join(' ')}\` should have been refused`);
    return { code: done.status ?? 1, message: done.stderr.trim() };
  }

  #run(env: Readonly<Record<string, string>>, args: readonly string[]): string {
    const done = spawnSync(bin, args, { encoding: 'utf8', env: { ...process.env, ...env } });
    if (done.status !== 0)
      throw new Error(`\`bakehouse ${args.join(' ')}\` ended ${done.status}: ${done.stderr.trim()}`);
    return done.stdout;
  }

  #line(text: string): void {
    if (this.#live) process.stdout.write('\r\u001B[2K');
    this.#live = false;
    console.log(text);
  }

  #clock(): string {
    return `${this.seconds.toFixed(1).padStart(6)} s`;
  }
}

const quoted = (arg: string): string => (/\s/.test(arg) ? `'${arg}'` : arg);
