/** The bake host: the process beside Packer and the image store. One per data folder; it may die at any time, its bakes go on. */
import { hostname } from 'node:os';

import type { Settings } from '../config/settings.ts';
import { childEnvironment } from '../config/settings.ts';
import { queues } from '../domain/queues.ts';
import type { Logger } from '../observe/logger.ts';
import type { PackerRunner } from '../packer/runner.ts';
import { createPackerRunner } from '../packer/runner.ts';
import { createPackerActivities } from '../activities/packer.ts';
import { connectWorker } from '../temporal/worker-connection.ts';
import { hostActivities } from './activities.ts';
import { cloudQueues } from './cloud-queues.ts';
import type { Deps } from './deps.ts';
import { openDeps } from './deps.ts';
import { startBeating } from './host-beat.ts';
import { openHostFolder } from './host-folder.ts';
import { startHostReaper } from './host-reaper.ts';
import { ownServer } from './own-server.ts';
import type { QueueWorker } from './queue-workers.ts';
import { createQueueWorkers, runWorkers } from './queue-workers.ts';
import type { Lifetime, RunningProcess } from './running.ts';
import { startProcess } from './running.ts';
import { installRuntime } from './runtime.ts';

/**
 * Steps beside Packer on the host's queue: checks, collecting, test launches. The registry gives a host no more bakes than its slots; a
 * queue that were full of Packer would hold these up, and a host that takes no work counts as away.
 */
const lightSlots = 20;

export function startBakeHost(settings: Settings, log: Logger): RunningProcess {
  return startProcess({ log, readyFile: settings.readyFile }, (lifetime) => host(settings, lifetime));
}

async function host(settings: Settings, lifetime: Lifetime): Promise<void> {
  const { signal, log } = lifetime;
  await using closing = new AsyncDisposableStack();
  installRuntime(log);
  const folder = await openHostFolder(settings.dataDir);
  closing.defer(() => folder.release());
  const deps = await openDeps(settings, lifetime, closing);
  const packer = runnerOf(deps, folder.attemptsDir);
  const connection = await connectWorker(settings.temporal.address, { signal, log });
  closing.defer(() => connection.close());
  const { hostId } = folder;
  const workers = await createQueueWorkers(connection, deps, hostQueues(deps, packer, hostId), lifetime);

  const { registry, providers, credentials } = deps;
  const { packerGraceMs: graceMs, slots, beatMs, name } = settings.host;
  const packerActivities = createPackerActivities({
    registry,
    providers,
    packer,
    credentials,
    server: ownServer(settings),
    graceMs,
  });
  const reaper = startHostReaper({
    hostId,
    registry,
    packer,
    providers,
    log,
    everyMs: settings.reapEveryMs,
    discardAttempt: (attemptId) => packerActivities.discardAttempt(attemptId),
  });
  closing.defer(() => reaper.stop());
  const beating = await startBeating({
    hosts: registry.hosts,
    host: { id: hostId, name: name ?? hostname(), builders: await buildersOf(deps, packer), slots },
    everyMs: beatMs,
    log,
  });
  closing.defer(() => beating.stop());
  log.info({ hostId }, 'bake host');
  await runWorkers(workers, lifetime);
}

function runnerOf({ tools }: Deps, attemptsDir: string): PackerRunner {
  return createPackerRunner({
    attemptsDir,
    packers: tools.packers,
    git: tools.git?.path ?? 'git',
    environment: childEnvironment({}),
  });
}

function hostQueues(deps: Deps, packer: PackerRunner, hostId: string): readonly QueueWorker[] {
  const own = {
    queue: queues.host(hostId),
    activities: hostActivities(deps, packer),
    slots: deps.settings.host.slots + lightSlots,
  };
  return [own, ...cloudQueues(deps, 'bake hosts')];
}

/** Builders that a Packer here has and a provider can take the images of. */
async function buildersOf({ providers }: Deps, packer: PackerRunner): Promise<readonly string[]> {
  const collected = new Set(providers.all().flatMap((provider) => provider.builders));
  const had = (await packer.packers()).flatMap(({ builders }) => builders);
  return [...new Set(had)].filter((builder) => collected.has(builder)).toSorted();
}
