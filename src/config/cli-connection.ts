/** How the CLI finds its server: environment first, then the file that `bakehouse up` leaves in the data folder. */
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Failure } from '../domain/failure.ts';

export interface CliConnection {
  readonly url: string;
  readonly token: string;
  /** Where the answer came from, for messages: `BAKEHOUSE_URL`, `--url` or the file's path. */
  readonly from: string;
  /** Temporal's UI of that installation, where `up` told it. */
  readonly temporalUi?: string;
}

/** Content of `<data folder>/cli.json`; `up` writes it with mode 0600 because it holds the token. */
export interface CliFile {
  readonly url: string;
  readonly token: string;
  readonly temporalUi?: string;
  /** `host:port`, for programs that hold a Temporal connection of their own. */
  readonly temporalAddress?: string;
}

/** Checked by hand: every command reads it, and a schema library takes longer to load than a call takes. */
function toCliFile(value: unknown): CliFile {
  const field = (key: string): unknown =>
    typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  const [url, token] = [field('url'), field('token')];
  const [temporalUi, temporalAddress] = [field('temporalUi'), field('temporalAddress')];
  if (typeof url !== 'string' || typeof token !== 'string' || token === '') {
    throw new Error('url or token is missing');
  }
  return {
    url,
    token,
    ...(typeof temporalUi === 'string' ? { temporalUi } : {}),
    ...(typeof temporalAddress === 'string' ? { temporalAddress } : {}),
  };
}

export const cliFilePath = (dataDir: string): string => path.join(dataDir, 'cli.json');

/** `.bakehouse` in the current folder unless `BAKEHOUSE_DATA_DIR` names another one. */
function defaultDataDir(environment: Readonly<NodeJS.ProcessEnv> = process.env): string {
  return path.resolve(environment['BAKEHOUSE_DATA_DIR'] ?? '.bakehouse');
}

export function writeCliFile(dataDir: string, content: CliFile): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = cliFilePath(dataDir);
  // By rename: a reader never sees half of it, and an old file's wider mode is not kept.
  writeFileSync(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  chmodSync(`${file}.new`, 0o600);
  renameSync(`${file}.new`, file);
}

function readCliFile(dataDir: string): CliFile | undefined {
  const file = cliFilePath(dataDir);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Failure('invalid_input', `${file} cannot be read by this user`, { cause: error });
  }
  try {
    return toCliFile(JSON.parse(text));
  } catch (error) {
    throw new Failure(
      'invalid_input',
      `${file} is damaged: start \`bakehouse up\` again, or set BAKEHOUSE_URL and BAKEHOUSE_TOKEN`,
      { cause: error },
    );
  }
}

/** What was given on the command line. */
export interface ConnectionOptions {
  readonly url?: string;
  readonly dataDir?: string;
}

/** Refuses with `invalid_input` and the three ways to say it when nothing tells where the server is. */
export function findConnection(
  options: ConnectionOptions = {},
  environment: Readonly<NodeJS.ProcessEnv> = process.env,
): CliConnection {
  const dataDir = options.dataDir === undefined ? defaultDataDir(environment) : path.resolve(options.dataDir);
  const file = readCliFile(dataDir);
  const url = options.url ?? environment['BAKEHOUSE_URL'] ?? file?.url;
  if (url === undefined) {
    throw new Failure(
      'invalid_input',
      `no server is known: start one here with \`bakehouse up\`, or set BAKEHOUSE_URL and BAKEHOUSE_TOKEN ` +
        `(there is no ${cliFilePath(dataDir)}; --data-dir names another folder)`,
    );
  }
  if (!/^https?:\/\/[^\s]+$/.test(url) || !URL.canParse(url)) {
    throw new Failure('invalid_input', `"${url}" is not the address of a server: write http://host:port`);
  }
  const token = readToken(environment) ?? (file !== undefined && file.url === url ? file.token : undefined);
  if (token === undefined) {
    throw new Failure(
      'unauthenticated',
      `no token is known for ${url}: set BAKEHOUSE_TOKEN or BAKEHOUSE_TOKEN_FILE`,
    );
  }
  const from =
    options.url === undefined
      ? environment['BAKEHOUSE_URL']
        ? 'BAKEHOUSE_URL'
        : cliFilePath(dataDir)
      : '--url';
  return { url, token, from, ...(file?.temporalUi === undefined ? {} : { temporalUi: file.temporalUi }) };
}

function readToken(environment: Readonly<NodeJS.ProcessEnv>): string | undefined {
  const direct = environment['BAKEHOUSE_TOKEN'];
  if (direct !== undefined && direct !== '') return direct;
  const file = environment['BAKEHOUSE_TOKEN_FILE'];
  if (file === undefined || file === '') return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Failure('invalid_input', `BAKEHOUSE_TOKEN_FILE names ${file}, which cannot be read`, {
      cause: error,
    });
  }
}

/** The project commands speak of unless `--project` says otherwise. */
export function defaultProject(environment: Readonly<NodeJS.ProcessEnv> = process.env): string {
  const named = environment['BAKEHOUSE_PROJECT'];
  return named === undefined || named === '' ? 'default' : named;
}
