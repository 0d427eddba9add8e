/**
 * The world in which bakes, test launches and releases are tried: the real activities over a registry, a provider and Packers in memory.
 * Hosts can go away and come back; what is asserted are facts about what exists.
 */
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect } from 'vitest';

import { createBakeActivities } from '../../../src/activities/bakes.ts';
import { createClaimActivities } from '../../../src/activities/claims.ts';
import { createDistributionActivities } from '../../../src/activities/distribution.ts';
import { createMachineActivities } from '../../../src/activities/machines.ts';
import { createCredentials } from '../../../src/activities/credentials.ts';
import { createPackerActivities } from '../../../src/activities/packer.ts';
import { createPromotionActivities } from '../../../src/activities/promotion.ts';
import { createReleaseActivities } from '../../../src/activities/releases.ts';
import { createRequestActivities } from '../../../src/activities/requests.ts';
import { createTestActivities } from '../../../src/activities/tests.ts';
import { createVerificationActivities } from '../../../src/activities/verification.ts';
import type { WorkflowStarter } from '../../../src/activities/workflow-starter.ts';
import type { CheckSpec, ImageLine, LineTarget } from '../../../src/domain/image-line.ts';
import { openGates } from '../../../src/domain/image-line.ts';
import { queues } from '../../../src/domain/queues.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { startHostReaper } from '../../../src/worker/host-reaper.ts';
import { quietLog } from '../quiet-log.ts';
import { type Simulation } from '../sandbox/simulation.ts';
import { type Fake, type Fakes, SimulatedTimeout, type Step } from '../sandbox/simulation-words.ts';
import { FakeCloud, place } from './cloud.ts';
import { FakePacker } from './packer.ts';
import { FakeRegistry } from './registry.ts';

export const hostAwayMs = 60_000;
const graceMs = 30_000;
const silent = () => undefined;
/** A logger for environments whose failures are what a test is about. */
export const quiet = { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent };
export const timeLimitMs = 3_600_000;

export class BakeWorld {
  readonly cloud = new FakeCloud();
  readonly registry: FakeRegistry;
  readonly packers = new Map<string, FakePacker>();
  /** Hosts that do not take tasks. */
  readonly away = new Set<string>();
  readonly sources: readonly string[];
  readonly channels: readonly string[];
  readonly places: readonly LineTarget[];
  readonly assigned: string[] = [];
  readonly promotions = new Map<
    string,
    { channel: string; versionId: string; endedAt: string | null; state?: string; detail?: string }
  >();
  readonly tests: CheckSpec[] = [];
  /** What others do once they can read it. */
  whenPromotionIsAsked: (promotionId: string) => void = () => undefined;
  simulation: Simulation | undefined;

  constructor(
    sources: readonly string[] = ['qemu.base'],
    hosts: readonly string[] = ['one'],
    channels: readonly string[] = ['dev', 'prod'],
    places: readonly LineTarget[] = [{ ...place, launch: {} }],
  ) {
    this.sources = sources;
    this.places = places;
    this.channels = channels;
    this.registry = new FakeRegistry(this.#line(), () => this.simulation?.now ?? Date.now());
    for (const id of hosts) this.addHost(id);
  }

  addHost(id: string): void {
    this.registry.hostRows.push({ id, name: id, builders: ['qemu', 'file'], slots: 1, seenAt: '' });
    this.packers.set(
      id,
      new FakePacker(this.sources, (attemptId) => this.cloud.leftovers.set(`disk-${attemptId}`, attemptId)),
    );
  }

  packer(host = 'one'): FakePacker {
    const packer = this.packers.get(host);
    if (packer === undefined) throw new Error(`no host ${host}`);
    return packer;
  }

  private readonly nudge = async (workflowId: string): Promise<boolean> =>
    this.simulation?.signal(workflowId, 'wake') ?? false;

  fakes = (simulation: Simulation): Fakes => {
    this.simulation = simulation;
    const byHost = new Map([...this.packers.keys()].map((id) => [queues.host(id), this.hostActivities(id)]));
    let step: Step | undefined;
    const onItsHost =
      (name: string): Fake =>
      (...args: unknown[]) =>
        byHost.get(step?.taskQueue ?? '')?.[name]?.(...args);
    const [anyHost = {}] = byHost.values();
    return {
      activities: {
        ...Object.fromEntries(Object.keys(anyHost).map((name) => [name, onItsHost(name)])),
        ...this.cloudActivities(),
        ...this.mainActivities(async (id) => (simulation.isOpen(id) ? 'open' : 'closed')),
      },
      cancelled: {
        runPacker: async (attemptId: string) => {
          for (const packer of this.packers.values()) await packer.cancel(attemptId);
        },
      },
      around: (at, act) => {
        const host = [...this.away].find((id) => at.taskQueue === queues.host(id));
        if (host !== undefined) throw new SimulatedTimeout('SCHEDULE_TO_START');
        step = at;
        return new MockActivityEnvironment({}, { logger: quiet }).run(async () => act());
      },
      children: {
        promote: async ({ promotionId }: { promotionId: string }) => {
          const promotion = this.promotions.get(promotionId);
          if (promotion === undefined) throw new Error(`no promotion ${promotionId}`);
          promotion.endedAt = 'now';
          if (!this.assigned.includes(promotion.channel)) this.assigned.push(promotion.channel);
          return { promotionId };
        },
      },
    };
  };

  mainActivities(latestRun: WorkflowStarter['latestRun']): Readonly<Record<string, Fake>> {
    const registry = this.asRegistry();
    const { providers } = this.cloud;
    const readTemplate = async () => ({ sources: this.sources.map((source) => ({ source })) });
    const bounds = { hostAwayMs, heartbeatMs: 10_000, graceMs };
    return {
      ...createBakeActivities({ registry, readTemplate, credentials: this.credentials(), bounds }),
      ...createClaimActivities({ registry, workflows: { latestRun } }),
      ...createDistributionActivities({ registry, providers }),
      ...createPromotionActivities({ registry, providers }),
      ...createReleaseActivities({ registry, providers, workflows: { nudge: this.nudge } }),
      ...createRequestActivities({ registry, resolveCommit: async () => 'a'.repeat(40) }),
      ...createTestActivities({ registry, providers, bounds }),
    };
  }

  cloudActivities(): Readonly<Record<string, Fake>> {
    const deps = { registry: this.asRegistry(), providers: this.cloud.providers };
    return {
      ...createMachineActivities(deps),
      ...createVerificationActivities(deps),
      ...createDistributionActivities(deps),
    };
  }

  hostActivities(id: string): Readonly<Record<string, Fake>> {
    const registry = this.asRegistry();
    const { providers } = this.cloud;
    const packer = this.packer(id);
    const credentials = this.credentials();
    return {
      ...this.cloudActivities(),
      ...createPackerActivities({ registry, providers, packer, credentials, graceMs }),
    };
  }

  credentials() {
    const { ledger, bakes } = this.asRegistry();
    return createCredentials({ ledger, bakes, vault: undefined });
  }

  asRegistry(): Registry {
    const { claims, requests, bakes, versions, hosts, ledger, logs, lines, enforcement, now } = this.registry;
    const parts = { claims, requests, bakes, versions, hosts, ledger, logs, lines, enforcement, now };
    const whole: unknown = { ...parts, promotions: this.#promotions, channels: this.#channels };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the parts of the contract that these activities use
    return whole as Registry;
  }

  /** What the reaper does for runs that Temporal calls closed, and hosts for attempts that nobody wants. */
  reap(): void {
    this.registry.claimRows.clear();
    for (const request of this.registry.requestRows.values()) {
      if (request.state === 'open') void this.registry.requests.finish(request.id, 1, { state: 'abandoned' });
    }
    for (const promotion of this.promotions.values()) promotion.endedAt ??= 'now';
  }

  /** What every bake host that is there does by itself: one look of its reaper. */
  async hostsTidy(): Promise<void> {
    const { bakes, claims, ledger } = this.registry;
    for (const [hostId, packer] of this.packers) {
      if (this.away.has(hostId)) continue;
      const discard = this.hostActivities(hostId)['discardAttempt'];
      const reaper = startHostReaper({
        registry: { bakes, claims, ledger },
        hostId,
        packer,
        providers: this.cloud.providers,
        log: quietLog().log,
        everyMs: 1,
        discardAttempt: async (attemptId) => {
          await new MockActivityEnvironment({}, { logger: quiet }).run(async () => discard?.(attemptId));
        },
      });
      await reaper.stop();
    }
    // The worker's reaper ends copies that came to nothing.
    for (const row of this.registry.ledgerRows.values()) {
      if (row.state !== 'open' || row.kind !== 'image') continue;
      if (!this.#knownImages().includes(row.mark)) this.cloud.images.delete(row.mark);
      row.state = 'closed';
    }
  }

  /** Ids of what the ledger says may be left. */
  get openEntries(): readonly string[] {
    return open(this.registry.ledgerRows);
  }

  /** Whatever was begun and is neither gone nor an image has an open entry in the ledger. */
  expectLeftIsNoted(): void {
    const attempts = [...this.packers.values()].flatMap(({ local }) => [...local.keys()]);
    const left = [...attempts, ...this.cloud.leftovers.values(), ...this.cloud.machines.keys()];
    expect(this.openEntries).toEqual(expect.arrayContaining([...new Set(left)]));
  }

  /** Nothing runs, nothing is half made, nothing is held, and every image is known. */
  expectNothingLeft(): void {
    const { attemptRows, claimRows } = this.registry;
    for (const packer of this.packers.values())
      expect([...packer.local.keys()], 'attempt folders').toEqual([]);
    expect([...this.cloud.leftovers.keys()], 'leftovers').toEqual([]);
    expect([...this.cloud.machines.keys()], 'machines').toEqual([]);
    expect(this.openEntries, 'open ledger entries').toEqual([]);
    expect([...claimRows.keys()], 'claims').toEqual([]);
    expect(
      [...attemptRows.values()].filter(({ state }) => state === 'current'),
      'current attempts',
    ).toEqual([]);
    const known = this.#knownImages();
    expect(
      [...this.cloud.images.keys()].filter((id) => !known.includes(id)),
      'unknown images',
    ).toEqual([]);
  }

  #knownImages(): readonly string[] {
    return [...this.registry.versionRows.values()]
      .filter(({ state }) => state !== 'cancelled')
      .flatMap(({ builds }) =>
        builds.flatMap(({ artifacts }) => artifacts.map(({ image }) => image.imageId)),
      );
  }

  expectOneImagePerSource(): void {
    const sources = [...this.cloud.images.values()].map(({ source }) => source).toSorted();
    expect(sources).toEqual([...this.sources].toSorted());
  }

  get version() {
    const [version] = this.registry.versionRows.values();
    if (version === undefined) throw new Error('no version was opened');
    return version;
  }

  get request() {
    const [request] = this.registry.requestRows.values();
    if (request === undefined) throw new Error('there is no request');
    return request;
  }

  #line(): ImageLine {
    return {
      bucket: 'base',
      description: '',
      template: { kind: 'folder', path: 't', entry: '.', digest: 'sha256:t' },
      sources: [],
      variables: {},
      parents: [],
      targets: this.places,
      tests: this.tests,
      channels: this.channels.map((name) => ({ name, gates: openGates })),
      timeLimitMs,
      endOfLifeCascades: false,
    };
  }

  readonly #channels = {
    get: async (_project: string, _bucket: string, channel: string) => ({
      effective: { versionId: this.assigned.includes(channel) ? this.version.id : null, revoked: false },
    }),
  };

  readonly #promotions = {
    get: async (id: string) => ({
      id,
      project: 'default',
      ...(this.promotions.get(id) ?? { endedAt: null }),
    }),
    request: async ({
      promotionId = '',
      channel,
      versionId,
    }: {
      promotionId?: string;
      channel: string;
      versionId: string;
    }) => {
      if (!this.promotions.has(promotionId))
        this.promotions.set(promotionId, { channel, versionId, endedAt: null, state: 'waiting' });
      this.whenPromotionIsAsked(promotionId);
      return { id: promotionId };
    },
    gates: async (id: string) =>
      this.promotions.get(id)?.endedAt === null
        ? { verdict: 'wait', waitMs: 86_400_000, waitingFor: ['1 approval'] }
        : { verdict: 'refuse', reasons: ['it has ended'] },
    end: async (id: string) => {
      const promotion = this.promotions.get(id);
      if (promotion !== undefined) promotion.endedAt ??= 'now';
    },
  };
}

const open = (rows: ReadonlyMap<string, { readonly state: string }>) =>
  [...rows].filter(([, { state }]) => state === 'open').map(([id]) => id);
