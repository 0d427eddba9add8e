/** The embedded PostgreSQL as a part: adopted or started, and started again when it dies. */
import { join } from 'node:path';

import { Failure, isFailure } from '../../domain/failure.ts';
import { isAlive, markOf } from '../../packer/supervisor/process-table.ts';
import type { EmbeddedDatabase } from '../../store/embedded.ts';
import { startEmbedded } from '../../store/embedded.ts';
import { createBackoff, pause } from '../../temporal/backoff.ts';
import type { UpFolder } from './folder.ts';
import type { Part, Say } from './part.ts';

const lookEveryMs = 1_000;

export class DatabasePart implements Part {
  readonly name = 'postgres';
  readonly #folder: UpFolder;
  readonly #asked: number | undefined;
  readonly #say: Say;
  readonly #stopping = new AbortController();
  #server: EmbeddedDatabase | undefined;
  #keeping: Promise<void> = Promise.resolve();

  constructor(folder: UpFolder, asked: number | undefined, say: Say) {
    this.#folder = folder;
    this.#asked = asked;
    this.#say = say;
  }

  /** With the password. Only after `start`. */
  get url(): string {
    if (this.#server === undefined) throw new Error('PostgreSQL is asked for before it was started');
    return this.#server.url;
  }

  async start(): Promise<void> {
    this.#server = await this.#open();
    if (this.#server.adopted) this.#say(`postgres: process ${this.#server.pid} of an earlier start goes on`);
    this.#keeping = this.#keep();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#keeping;
    await this.#server?.stop();
  }

  /** Once it has a port it keeps it: others were told. */
  async #open(): Promise<EmbeddedDatabase> {
    const port = this.#server?.port ?? this.#asked;
    const dataDir = join(this.#folder.dataDir, 'postgres');
    try {
      return await startEmbedded({ dataDir, ...(port === undefined ? {} : { port }) });
    } catch (error) {
      if (!isFailure(error) || error.details['portInUse'] !== true) throw error;
      const message = `port ${port} on 127.0.0.1 is in use: stop what listens there, or set BAKEHOUSE_POSTGRES_PORT to another port`;
      throw new Failure('illegal_state', message, { cause: error });
    }
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping;
    const backoff = createBackoff(500, 15_000);
    let mark = markOf(this.#server?.pid ?? 0);
    for (;;) {
      await pause(lookEveryMs, signal);
      if (signal.aborted) return;
      if (isAlive(mark)) continue;
      this.#say('postgres ended: starting it again');
      try {
        this.#server = await this.#open();
        mark = markOf(this.#server.pid);
        backoff.reset();
        this.#say('postgres is back');
      } catch (error) {
        this.#say(`postgres does not start: ${error instanceof Error ? error.message : String(error)}`);
        await backoff.wait(signal);
      }
    }
  }
}
