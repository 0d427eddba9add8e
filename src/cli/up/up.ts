/** `bakehouse up`: everything on this machine with one command, found again after any crash, stopped in order. */
import path from 'node:path';

import type { Settings } from '../../config/settings.ts';
import { writeCliFile } from '../../config/cli-connection.ts';
import { Failure } from '../../domain/failure.ts';
import { makeFirstProject } from './first-project.ts';
import type { UpFolder } from './folder.ts';
import { lockFolder } from './folder.ts';
import { DatabasePart } from './database.ts';
import { bakesGoingOn } from './going-on.ts';
import type { Part, Say } from './part.ts';
import { ProcessPart } from './part.ts';
import type { Shared } from './parts.ts';
import { loopback, serverPart, temporalPart, workingPart } from './parts.ts';
import { choosePorts } from './ports.ts';
import { apiToken } from './token.ts';

export interface Up {
  readonly url: string;
  /** `https://host:port`, with the same routes; undefined where the server speaks no TLS. */
  readonly tlsUrl: string | undefined;
  readonly temporalUi: string | undefined;
  /** Lines for a shell, so that the CLI and other programs find it. The token is in a file, not in them. */
  readonly exports: readonly string[];
  /** Stops everything, last started first. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts all parts and returns when they work. Throws a `Failure` after stopping what was started; `cancelled` when the signal aborts
 * before all are ready.
 */
export async function startUp(
  settings: Settings,
  say: Say,
  signal: AbortSignal = new AbortController().signal,
): Promise<Up> {
  const folder = await lockFolder(settings.dataDir);
  const started: Part[] = [];
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= stopAll(started, folder, say));
  try {
    return { ...(await startAll(settings, folder, started, { say, signal })), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startAll(
  settings: Settings,
  folder: UpFolder,
  started: Part[],
  { say, signal }: { readonly say: Say; readonly signal: AbortSignal },
): Promise<Omit<Up, 'stop'>> {
  const begin = async (part: Part): Promise<void> => {
    const begun = performance.now();
    if (signal.aborted) throw new Failure('cancelled', `stopped before ${part.name} was started`);
    // Before it starts: what started half must be stopped too.
    started.push(part);
    await part.start(signal);
    say(`${part.name} is ready (${((performance.now() - begun) / 1_000).toFixed(1)} s)`);
  };
  await endOrphans(folder, say);
  const ports = await choosePorts(folder, wishes(settings));
  const [httpPort = 0, httpsPort = 0, temporalPort = 0, uiPort = 0] = [
    ports['http'],
    ports['https'],
    ports['temporal'],
    ports['temporalUi'],
  ];

  const database = new DatabasePart(folder, settings.ports.postgres, say);
  const own = !settings.temporal.addressAsked;
  const servers: Part[] = settings.databaseUrl === undefined ? [database] : [];
  if (own) {
    const spec = temporalPart(settings, folder, { temporal: temporalPort, ui: uiPort });
    servers.push(new ProcessPart(spec, folder, say));
  }
  await inParallel(servers.map(begin));

  const { token, file } = apiToken(settings);
  const address = own ? `${loopback}:${temporalPort}` : settings.temporal.address;
  const temporalUi = own ? `http://${loopback}:${uiPort}` : settings.temporal.uiUrl;
  const url = `http://${urlHost(settings.listen.host)}:${httpPort}`;
  const shared: Shared = {
    settings,
    folder,
    env: {
      DATABASE_URL: settings.databaseUrl?.reveal() ?? database.url,
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: settings.temporal.namespace,
      BAKEHOUSE_DATA_DIR: settings.dataDir,
      BAKEHOUSE_IMAGE_STORE: settings.imageStore,
      BAKEHOUSE_TOKEN: '',
      BAKEHOUSE_TOKEN_FILE: file,
      BAKEHOUSE_TEMPORAL_UI: temporalUi ?? '',
      BAKEHOUSE_LOG_FORMAT: 'json',
    },
  };
  const tlsHost = tlsHostOf(settings);
  const places = {
    listen: placeText(settings.listen.host, httpPort),
    tlsListen: settings.tls.isOff ? undefined : placeText(tlsHost, httpsPort),
  };
  const tlsUrl = settings.tls.isOff
    ? undefined
    : (settings.tls.url ?? `https://${urlHost(tlsHost)}:${httpsPort}`);
  const specs = [
    serverPart(shared, places, url),
    workingPart('worker', shared),
    workingPart('bake-host', { ...shared, env: { ...shared.env, ...ownRegistry(settings, tlsUrl) } }),
  ];
  await inParallel(specs.map((spec) => begin(new ProcessPart(spec, folder, say))));
  await makeFirstProject({ url, token: token.reveal(), signal }, settings.project, say);
  writeCliFile(settings.dataDir, {
    url,
    token: token.reveal(),
    temporalAddress: address,
    ...(temporalUi === undefined ? {} : { temporalUi }),
  });
  return {
    url,
    tlsUrl,
    temporalUi,
    exports: [`export BAKEHOUSE_URL=${url}`, `export BAKEHOUSE_TOKEN_FILE=${file}`],
  };
}

/** Its own server, unless another one was named. */
function ownRegistry(
  { registry, tls, dataDir }: Settings,
  tlsUrl: string | undefined,
): Readonly<Record<string, string>> {
  if (registry !== undefined || tlsUrl === undefined) return {};
  const authority = tls.own === undefined ? path.join(dataDir, 'tls', 'ca.pem') : tls.own.ca;
  return { BAKEHOUSE_REGISTRY_URL: tlsUrl, BAKEHOUSE_REGISTRY_CA: authority ?? '' };
}

/** All end, then the first failure is thrown: nothing goes on starting behind the back of the stop. */
async function inParallel(starts: readonly Promise<void>[]): Promise<void> {
  const ends = await Promise.allSettled(starts);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Last started first, so that nobody works on what is gone. */
async function stopAll(started: readonly Part[], folder: UpFolder, say: Say): Promise<void> {
  const [ours, servers] = [started.filter(isOurs), started.filter((part) => !isOurs(part))];
  const ends = await Promise.allSettled(ours.map((part) => part.stop()));
  for (const part of servers.toReversed()) {
    ends.push(...(await Promise.allSettled([part.stop()])));
  }
  for (const end of ends) {
    if (end.status === 'rejected') say(String(end.reason instanceof Error ? end.reason.message : end.reason));
  }
  const bakes = await bakesGoingOn(folder.dataDir);
  if (bakes.length > 0) {
    say(
      `Packer goes on for ${bakes.join(', ')}; the next \`bakehouse up\` finds it again (to end it: \`bakehouse cancel\` before stopping)`,
    );
  }
  folder.release();
}

const ourParts = ['server', 'worker', 'bake-host'];
const isOurs = (part: Part): boolean => ourParts.includes(part.name);

/** Before ports are looked at: an earlier start may still have them. PostgreSQL is adopted instead. */
export async function endOrphans(folder: UpFolder, say: Say): Promise<void> {
  const nothing = { file: '', args: [], env: {}, untilReady: () => Promise.resolve(), graceMs: 10_000 };
  await inParallel(
    [...ourParts, 'temporal'].map((name) => new ProcessPart({ name, ...nothing }, folder, say).endOrphans()),
  );
}

function wishes(settings: Settings) {
  const { listen, listenAsked, ports, tls } = settings;
  return [
    {
      name: 'http',
      setting: 'BAKEHOUSE_LISTEN',
      host: listen.host,
      asked: listenAsked ? listen.port : undefined,
      usual: listen.port,
    },
    {
      name: 'https',
      setting: 'BAKEHOUSE_TLS_LISTEN',
      host: tlsHostOf(settings),
      asked: tls.listenAsked ? tls.listen?.port : undefined,
      usual: tls.listen?.port ?? 8443,
    },
    {
      name: 'temporal',
      setting: 'BAKEHOUSE_TEMPORAL_PORT',
      host: loopback,
      asked: ports.temporal,
      usual: 7233,
    },
    {
      name: 'temporalUi',
      setting: 'BAKEHOUSE_TEMPORAL_UI_PORT',
      host: loopback,
      asked: ports.temporalUi,
      usual: 8233,
    },
  ];
}

/** Who opens plain http to a network means TLS too. */
const tlsHostOf = ({ tls, listen }: Settings): string => tls.listen?.host ?? listen.host;

const placeText = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Where this machine reaches what listens on the host. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return loopback;
  return host.includes(':') ? `[${host}]` : host;
}
