/** The server process: HTTP over the registry, and the relay. Any number may run. Temporal may be away; readers never need it. */
import type { FastifyInstance } from 'fastify';
import type { Settings } from '../config/settings.ts';
import { childEnvironment, requireDatabase } from '../config/settings.ts';
import { loadTools } from '../config/tools.ts';
import { operatorName } from '../domain/actor.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import type { Logger } from '../observe/logger.ts';
import { resolveCommit } from '../packer/git.ts';
import { checkLines } from '../providers/check-lines.ts';
import { createRegistry } from '../registry/create-registry.ts';
import { migrate } from '../store/migrate.ts';
import { openStore } from '../store/pool.ts';
import type { Keyring } from '../temporal/codec/index.ts';
import { openKeyring } from '../temporal/codec/index.ts';
import { openTemporal } from '../temporal/connection.ts';
import { startRelay } from '../temporal/relay.ts';
import { createGateway } from '../temporal/starter.ts';
import { untilItWorks } from '../temporal/until-it-works.ts';
import { createVault } from '../vault/index.ts';
import { createProviders } from '../worker/providers.ts';
import type { Lifetime, RunningProcess } from '../worker/running.ts';
import { startProcess } from '../worker/running.ts';
import { buildApp } from './app.ts';
import { keysFrom } from './keys.ts';
import { portRefusal } from './listening.ts';
import { firstOf, servicePrincipals, tokenPrincipals } from './principals.ts';
import { markWhileUp } from './server-mark.ts';
import type { Tls } from './tls/start.ts';
import { startTls } from './tls/start.ts';

export interface RunningServer extends RunningProcess {
  /** `http://host:port` once it listens; the port is the real one where 0 was asked for. */
  readonly address: Promise<string>;
}

export function startServer(settings: Settings, log: Logger): RunningServer {
  const address = Promise.withResolvers<string>();
  const running = startProcess({ log, readyFile: settings.readyFile }, (lifetime) =>
    serve(settings, lifetime, address.resolve),
  );
  running.finished.then(
    () => address.reject(new Error('ended before it listened')),
    (error: unknown) => address.reject(error),
  );
  // Who does not look at it is not to be ended by it.
  address.promise.catch(() => undefined);
  return { ...running, address: address.promise };
}

async function serve(
  settings: Settings,
  { signal, log, ready }: Lifetime,
  listening: (address: string) => void,
): Promise<void> {
  const { token } = settings;
  if (token === undefined) {
    throw new Failure(
      'invalid_input',
      'BAKEHOUSE_TOKEN is not set: write a long random one there, or its file in BAKEHOUSE_TOKEN_FILE; the API is never open',
    );
  }
  await using closing = new AsyncDisposableStack();
  const url = requireDatabase(settings).reveal();
  const waiting = { signal, log, retry: isAway };
  await untilItWorks('PostgreSQL answers', () => migrate(url), waiting);
  const store = openStore(url);
  closing.defer(() => store.close());
  const registry = createRegistry(store);
  const tools = loadTools();
  const git = { git: tools.git?.path ?? 'git', environment: childEnvironment({}) };
  const providers = await createProviders(settings, tools, 'unused');
  const { uiUrl } = settings.temporal;
  let keyring: Keyring | undefined;
  let tls: Tls | undefined;
  const app = buildApp({
    registry,
    principals: firstOf(
      tokenPrincipals([{ name: operatorName, token: token.reveal(), role: 'admin' }]),
      servicePrincipals(registry.tokens),
    ),
    keys: keysFrom(token.reveal()),
    accessTokens: settings.accessTokens,
    trustedProxies: settings.trustedProxies,
    tls: () => tls?.address(),
    resolveCommit: (repository, ref) => resolveCommit(repository, ref, git),
    checkLines: (lines) => checkLines(providers, lines),
    codec: {
      keyring: () => keyring,
      namespace: settings.temporal.namespace,
      uiOrigin: uiUrl === undefined ? undefined : new URL(uiUrl).origin,
    },
    logger: log,
  });
  // Both doors at once, so that stopping takes one grace.
  closing.defer(async () => {
    await Promise.all([closeApp(app, settings.stopAfterMs), tls?.close(settings.stopAfterMs)]);
  });
  await app.ready();
  tls = await startTls(settings, {
    handler: (request, response) => app.routing(request, response),
    timeouts: app.server,
    log,
  });
  listening(await listen(app, settings));
  closing.defer(markWhileUp(registry.heartbeats, log));
  const { payloadKeysFile } = settings;
  if (payloadKeysFile !== undefined) {
    // After it listens: readers need neither Temporal nor the keys.
    const vault = settings.vault === undefined ? undefined : await createVault(settings.vault);
    closing.defer(() => vault?.close());
    const open = () => openKeyring(payloadKeysFile, vault?.unwrapDataKeys);
    keyring = await untilItWorks('the payload keys can be read', open, waiting);
  }
  const temporal = openTemporal(settings.temporal, keyring);
  closing.defer(() => temporal.close());
  const relay = startRelay({
    outbox: registry.outbox,
    gateway: createGateway(temporal),
    check: () => temporal.check(),
    log,
    everyMs: settings.relayEveryMs,
  });
  closing.defer(() => relay.stop());
  ready();
  await aborted(signal);
  log.info('stopping');
}

/** What is wrong (a schema that cannot be brought up to date, a malformed key file) ends the process. */
const isAway = (error: unknown): boolean => isFailure(error) && error.code === 'provider_unavailable';

async function listen(app: FastifyInstance, { listen: place }: Settings): Promise<string> {
  try {
    return await app.listen({ ...place });
  } catch (error) {
    throw portRefusal(error, place, 'BAKEHOUSE_LISTEN');
  }
}

/** Answers under way are finished; those that take longer than the grace are cut. */
async function closeApp(app: FastifyInstance, graceMs: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), graceMs);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
