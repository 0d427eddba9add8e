import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Client, createClient } from '../../src/client/index.ts';
import type { CliFile } from '../../src/config/cli-connection.ts';
import { Background } from './background.ts';
import { bakehouse, bin } from './bakehouse.ts';
import { endMachines } from './machines.ts';
import type { DemoRun } from './run.ts';

/** From nothing to all parts, on a busy machine too. */
const readyWithinMs = 300_000;

export interface System {
  readonly dataDir: string;
  readonly url: string;
  readonly temporalUi: string;
  readonly temporalAddress: string;
  /** What a shell needs so that `bakehouse` finds this system. */
  readonly env: Readonly<Record<string, string>>;
  readonly client: Client;
}

/** `bakehouse up` with a fresh data folder. May be stopped at any moment, also while it starts. */
export class Installation {
  readonly #run: DemoRun;
  readonly #dataDir: string;
  readonly #env: Readonly<Record<string, string>>;
  #up: Background | undefined;

  constructor(run: DemoRun, dataDir: string) {
    this.#run = run;
    this.#dataDir = dataDir;
    this.#env = { BAKEHOUSE_DATA_DIR: dataDir };
  }

  /** Ends what an earlier demo left first. Returns when all parts work. */
  async start(): Promise<System> {
    const [run, dataDir] = [this.#run, this.#dataDir];
    if (existsSync(dataDir)) {
      await this.#end('the system of an earlier demo');
      rmSync(dataDir, { recursive: true });
    }
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    run.chapter('Start everything: PostgreSQL, Temporal, server, worker, bake host');
    // Throws when the demo was interrupted: nothing is started after its stop.
    run.say('$ bakehouse up');
    const logFile = path.join(dataDir, 'up.log');
    this.#up = new Background(bin, ['up'], { env: { ...process.env, ...this.#env }, logFile });
    const cliFile = path.join(dataDir, 'cli.json');
    await this.#up.untilThere(cliFile, (line) => run.say(line), readyWithinMs);
    const found: Partial<CliFile> = JSON.parse(readFileSync(cliFile, 'utf8'));
    const { url, token, temporalUi, temporalAddress } = found;
    if (url === undefined || token === undefined)
      throw new Error(`${cliFile} does not say where the server is`);
    run.seen(`the API answers at ${url}, the Temporal UI at ${temporalUi ?? 'no address'}`);
    return {
      dataDir,
      url,
      temporalUi: temporalUi ?? '',
      temporalAddress: temporalAddress ?? '',
      env: this.#env,
      client: createClient({ url, token }),
    };
  }

  /** Whatever state it is in; bakes and test machines that would go on by themselves are ended too. False, and told, when something may still run. */
  async stop(): Promise<boolean> {
    if (this.#up === undefined) return true;
    try {
      await this.#up.stop();
      await this.#end('what is left of this demo');
    } catch (error) {
      this.#run.fail(error);
      return false;
    }
    this.#run.close('everything is stopped');
    return true;
  }

  /** Lets it run on after this process. */
  leave(): void {
    this.#up?.leave();
  }

  async #end(what: string): Promise<void> {
    const { code, stderr } = await bakehouse(this.#env, ['down', '--end-bakes']);
    if (code !== 0)
      throw new Error(
        `${what} cannot be ended: ${stderr.trim()}\nTry again: BAKEHOUSE_DATA_DIR=${this.#dataDir} bin/bakehouse down --end-bakes`,
      );
    await endMachines(this.#dataDir);
  }
}
