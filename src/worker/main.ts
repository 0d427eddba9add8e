/** The worker process: workflows, and the activities that need neither Packer nor a disk. Any number may run. */
import type { Settings } from '../config/settings.ts';
import { queues } from '../domain/queues.ts';
import type { Logger } from '../observe/logger.ts';
import { createOwnTemporal } from '../temporal/own-temporal.ts';
import { startReaper } from '../temporal/reaper.ts';
import { registerSearchAttributes } from '../temporal/search-attributes.ts';
import { untilItWorks } from '../temporal/until-it-works.ts';
import { connectWorker } from '../temporal/worker-connection.ts';
import { mainActivities } from './activities.ts';
import { bundleFolder, workflowBundle } from './bundle.ts';
import { cloudQueues } from './cloud-queues.ts';
import { startCloudReaper } from './cloud-reaper.ts';
import { startCredentialReaper } from './credential-reaper.ts';
import { type Deps, openDeps } from './deps.ts';
import { createQueueWorkers, runWorkers } from './queue-workers.ts';
import type { Lifetime, RunningProcess } from './running.ts';
import { startProcess } from './running.ts';
import { installRuntime } from './runtime.ts';

/** Steps are short: PostgreSQL's connections are the limit, not these. */
const slots = 100;

/** A claim younger than so many looks is not asked about: most are given back by then. */
const looksUntilReaped = 3;

/** A step hears within one that it is wanted no more, and its last call has ended within another. */
const silencesUntilQuiet = 2;

/** Waits for PostgreSQL and Temporal, for as long as it takes. */
export function startWorker(settings: Settings, log: Logger): RunningProcess {
  return startProcess({ log, readyFile: settings.readyFile }, (lifetime) => work(settings, lifetime));
}

async function work(settings: Settings, lifetime: Lifetime): Promise<void> {
  await using closing = new AsyncDisposableStack();
  installRuntime(lifetime.log);
  await serveQueues(await openDeps(settings, lifetime, closing), lifetime, closing);
}

/** Serves until the signal aborts. */
export async function serveQueues(
  deps: Deps,
  lifetime: Lifetime,
  closing: AsyncDisposableStack,
): Promise<void> {
  const { signal, log } = lifetime;
  const { settings } = deps;
  const bundle = await workflowBundle(bundleFolder(settings.dataDir), deps.dataConverter, log);
  const connection = await connectWorker(settings.temporal.address, { signal, log });
  closing.defer(() => connection.close());
  await untilItWorks('register search attributes', () => registerSearchAttributes(deps.temporal), {
    signal,
    log,
  });
  const workers = await createQueueWorkers(
    connection,
    deps,
    [
      { queue: queues.main, activities: mainActivities(deps), slots, workflowBundle: bundle },
      ...cloudQueues(deps, 'workers'),
    ],
    lifetime,
  );
  const { requests, claims, installation } = deps.registry;
  const reaper = startReaper({
    requests,
    claims,
    runs: deps.gateway,
    ownTemporal: createOwnTemporal(deps.temporal, installation, settings.temporal.moveTo),
    log,
    everyMs: settings.reapEveryMs,
    claimAgeMs: looksUntilReaped * settings.reapEveryMs,
  });
  closing.defer(() => reaper.stop());
  const { credentials } = deps;
  const credentialReaper = startCredentialReaper({ credentials, log, everyMs: settings.reapEveryMs });
  closing.defer(() => credentialReaper.stop());
  const cloudReaper = startCloudReaper({
    registry: deps.registry,
    providers: deps.providers,
    log,
    everyMs: settings.reapEveryMs,
    quietMs: silencesUntilQuiet * settings.heartbeat.timeoutMs,
    graceMs: settings.host.packerGraceMs + settings.host.marginMs,
  });
  closing.defer(() => cloudReaper.stop());
  await runWorkers(workers, lifetime);
}
