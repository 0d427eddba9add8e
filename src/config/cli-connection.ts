/** How the CLI finds its server: environment first, then the file that `bakehouse up` leaves in the data folder. */
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Failure } from '../domain/failure.ts';

export type CliConnection = Credential & {
  readonly url: string;
  /** Where the answer came from, for messages: `BAKEHOUSE_URL`, `--url` or the file's path. */
  readonly from: string;
  /** Temporal's UI of that installation, where `up` told it. */
  readonly temporalUi?: string;
};

/** A token, or a service principal that is given one. */
type Credential =
  | { readonly token: string; readonly client?: undefined }
  | {
      readonly token?: undefined;
      readonly client: { readonly clientId: string; readonly clientSecret: string };
    };

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

/** The data folder that a command was told of, absolute; it may not exist. */
export const dataFolder = ({ dataDir }: ConnectionOptions): string =>
  dataDir === undefined ? defaultDataDir() : path.resolve(dataDir);

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
  const credential = credentialFor(url, environment, file);
  const from =
    options.url === undefined
      ? environment['BAKEHOUSE_URL']
        ? 'BAKEHOUSE_URL'
        : cliFilePath(dataDir)
      : '--url';
  return {
    ...credential,
    url,
    from,
    ...(file?.temporalUi === undefined ? {} : { temporalUi: file.temporalUi }),
  };
}

/** What was exported counts before the operator's token in the file: who exports a principal wants to be that one. */
function credentialFor(
  url: string,
  environment: Readonly<NodeJS.ProcessEnv>,
  file: CliFile | undefined,
): Credential {
  const token = readToken(environment);
  if (token !== undefined) return { token };
  const client = readClient(environment);
  if (client !== undefined) return client;
  if (file?.url === url) return { token: file.token };
  const foreign = foreignClientId(environment);
  const why =
    foreign === undefined
      ? ''
      : ` (HCP_CLIENT_ID is "${foreign}", which Bakehouse did not give out; it is not sent there)`;
  throw new Failure(
    'unauthenticated',
    `no token is known for ${url}${why}: set BAKEHOUSE_TOKEN or BAKEHOUSE_TOKEN_FILE, or HCP_CLIENT_ID and HCP_CLIENT_SECRET to those of a principal here`,
  );
}

const isOurs = (clientId: string): boolean => clientId.startsWith('bakehouse-');

/** The client id of this environment, where it is one that Bakehouse did not give out: HCP's own. */
export function foreignClientId(environment: Readonly<NodeJS.ProcessEnv> = process.env): string | undefined {
  const clientId = environment['HCP_CLIENT_ID'] ?? '';
  return clientId === '' || isOurs(clientId) ? undefined : clientId;
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

/** The variables of Packer and Terraform, where they hold a client id of Bakehouse: one of HCP's is never sent here. */
function readClient(environment: Readonly<NodeJS.ProcessEnv>): Credential | undefined {
  const [clientId, clientSecret] = [environment['HCP_CLIENT_ID'], environment['HCP_CLIENT_SECRET']];
  if (clientId === undefined || !isOurs(clientId)) return undefined;
  if (clientSecret === undefined || clientSecret === '') {
    // Nothing else is taken instead: a job whose secret got lost is not to act as the operator.
    throw new Failure(
      'unauthenticated',
      `HCP_CLIENT_SECRET is not set, and HCP_CLIENT_ID is "${clientId}", a principal of Bakehouse: set it to that one's secret, or leave both out`,
    );
  }
  return { client: { clientId, clientSecret } };
}

/** The project commands speak of unless `--project` says otherwise. */
export function defaultProject(environment: Readonly<NodeJS.ProcessEnv> = process.env): string {
  const named = environment['BAKEHOUSE_PROJECT'];
  return named === undefined || named === '' ? 'default' : named;
}
