/** What every command gets: the client, the project, and how to answer. */
import type { Command } from 'commander';
import type { Client, ClientSecret } from '../client/index.ts';
import { defaultProject, findConnection } from '../config/cli-connection.ts';
import type { CliConnection } from '../config/cli-connection.ts';
import { tokenCache } from '../config/token-cache.ts';
import { harmless } from './output.ts';

interface GlobalOptions {
  readonly project?: string;
  readonly url?: string;
  readonly dataDir?: string;
  readonly json?: boolean;
}

export interface CommandContext {
  readonly options: GlobalOptions;
  readonly project: string;
  readonly json: boolean;
  connection(): CliConnection;
  client(): Promise<Client>;
  /** JSON as the API gives it, or the text for people. */
  answer(value: unknown, text: string | (() => string)): void;
  /** Progress and remarks: stderr, so that stdout stays the answer. */
  say(line: string): void;
}

export function contextOf(command: Command): CommandContext {
  const options = command.optsWithGlobals<GlobalOptions>();
  const json = options.json === true;
  const connection = (): CliConnection =>
    findConnection({
      ...(options.url === undefined ? {} : { url: options.url }),
      ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    });
  return {
    options,
    project: options.project ?? defaultProject(),
    json,
    connection,
    async client() {
      const { url, token, client } = connection();
      const { clientCredentials, createClient } = await import('../client/index.ts');
      const ofPrincipal = (secret: ClientSecret) => clientCredentials(secret, { keeper: tokenCache(secret) });
      return createClient({
        url,
        token: token === undefined ? ofPrincipal({ url, ...client }) : token,
      });
    },
    answer(value, text) {
      if (json) write(`${JSON.stringify(value, null, 2)}\n`);
      else write(harmless(typeof text === 'string' ? text : text()));
    },
    say: (line) => void process.stderr.write(`${harmless(line)}\n`),
  };
}

const write = (text: string): void => void process.stdout.write(text);
