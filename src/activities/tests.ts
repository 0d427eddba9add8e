/** The registry's side of a test launch: what is to be tested how, and the result. */
import { refusedCommands } from '../domain/command-tests.ts';
import { Failure } from '../domain/failure.ts';
import type { CheckSpec, ImageLine } from '../domain/image-line.ts';
import { queues } from '../domain/queues.ts';
import { type ImageRef, targetKey } from '../domain/target.ts';
import type { Artifact, SecretScan } from '../domain/version.ts';
import type { Providers } from '../providers/provider.ts';
import type { TestRecord } from '../registry/contract/bakes.ts';
import type { Registry } from '../registry/registry.ts';

export interface TestDeps {
  readonly registry: Pick<Registry, 'bakes' | 'hosts' | 'ledger' | 'lines' | 'now' | 'requests' | 'versions'>;
  readonly providers: Providers;
  readonly bounds: TestBounds;
}

/** How long is waited for what; part of the plan. */
export interface TestBounds {
  /** How long a bake host may be away before a machine on it is given up. */
  readonly hostAwayMs: number;
  /** A step that is silent for so long is taken for dead. */
  readonly heartbeatMs: number;
}

/** An artifact by its id, or by what a person knows of it. `artifact`: an image id, where the version has several. */
export type TestSubject =
  | { readonly artifactId: string }
  | {
      readonly project: string;
      readonly bucket: string;
      readonly version: string;
      readonly artifact?: string;
    };

export interface TestPlan extends TestBounds {
  readonly project: string;
  readonly bucket: string;
  readonly versionId: string;
  readonly versionName: string;
  readonly artifactId: string;
  readonly image: ImageRef;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly checks: readonly CheckSpec[];
  readonly mustBeGone: readonly string[];
  readonly secretScan: SecretScan | null;
  /** Machines live on the host that launched them: all steps go to one host. */
  readonly hostBound: boolean;
  /** A machine that has not booted after this long has failed; the provider's own limit, also where the line sets none. */
  readonly bootLimitMs: number;
  /** The provider ends the machine by itself after this long. */
  readonly machineLimitMs: number;
}

const hostSeenWithinMs = 15_000;

export function createTestActivities({ registry, providers, bounds }: TestDeps) {
  const { bakes, hosts, ledger, lines, requests, versions } = registry;

  async function findArtifact(subject: TestSubject): Promise<string> {
    if ('artifactId' in subject) return subject.artifactId;
    const { project, bucket, version: name, artifact } = subject;
    const version = await versions.find(project, bucket, name);
    const all: readonly Artifact[] = version.builds.flatMap((build) => build.artifacts);
    const named = all.filter(
      ({ id, image }) => artifact === undefined || [id, image.imageId].includes(artifact),
    );
    const [one, ...more] = named;
    if (one !== undefined && more.length === 0) return one.id;
    const there = all.map(({ image }) => image.imageId).join(', ') || 'none';
    throw new Failure(
      'invalid_input',
      `${bucket} ${version.name}: name one image with "artifact"; there are: ${there}`,
    );
  }

  async function lineOf(versionId: string): Promise<ImageLine | undefined> {
    const { project, bucket, requestId } = await versions.get(versionId);
    if (requestId !== null) return (await requests.pins(requestId)).line;
    return (await lines.get(project, bucket)).line ?? undefined;
  }

  return {
    async planTest(subject: TestSubject): Promise<TestPlan> {
      const artifactId = await findArtifact(subject);
      const { image, project, bucket, versionId, mustBeGone, secretScan } =
        await bakes.getArtifact(artifactId);
      const [version, line] = await Promise.all([versions.get(versionId), lineOf(versionId)]);
      const target = line?.targets.find((each) => targetKey(each) === targetKey(image.target));
      const settings = target?.launch ?? {};
      const checks = line?.tests ?? [];
      const provider = providers.get(image.target.provider);
      const { bootTimeoutMs: bootLimitMs, noCommands } = provider.checkSettings(settings);
      const refused = refusedCommands(noCommands, checks);
      if (refused !== undefined) {
        throw new Failure(
          'invalid_input',
          `${bucket} ${version.name} cannot be tested in ${targetKey(image.target)}: ${refused}`,
        );
      }
      const commandsMs = checks.reduce(
        (sum, check) => sum + (check.kind === 'command' ? check.timeoutMs : 0),
        0,
      );
      return {
        project,
        bucket,
        versionId,
        versionName: version.name,
        artifactId,
        image,
        settings,
        checks,
        mustBeGone,
        secretScan,
        hostBound: provider.capabilities.hostBound,
        ...bounds,
        bootLimitMs,
        // Twice the checks' own time, because a lost worker begins them again, and room for the built-in ones.
        machineLimitMs: bootLimitMs + 2 * commandsMs + 15 * 60_000,
      };
    },

    /**
     * The task queue of a machine's steps; null while no bake host is there for a machine that lives on one. `lost`: queues of hosts
     * that went away during this test; one of them is taken only when there is no other and it was seen again.
     */
    async pickMachineQueue(
      { image, hostBound }: Pick<TestPlan, 'image' | 'hostBound'>,
      lost: readonly string[] = [],
    ): Promise<string | null> {
      // Slow steps all of them: a boot, commands, in some clouds the end of a machine.
      if (!hostBound) return queues.cloudWaits(image.target);
      const { builders } = providers.get(image.target.provider);
      const [all, now] = await Promise.all([hosts.list(), registry.now()]);
      const able = all.filter(
        (host) =>
          Date.parse(now) - Date.parse(host.seenAt) < hostSeenWithinMs &&
          host.builders.some((builder) => builders.includes(builder)),
      );
      const latest = able
        .toSorted((a, b) => Date.parse(b.seenAt) - Date.parse(a.seenAt))
        .map(({ id }) => queues.host(id));
      return latest.find((queue) => !lost.includes(queue)) ?? latest[0] ?? null;
    },

    /** The artifact owns the entry: while nobody holds its test, its machines are ended. */
    async openLaunch(launchId: string, { image, artifactId }: TestPlan): Promise<void> {
      await ledger.open({
        id: launchId,
        owner: artifactId,
        kind: 'machine',
        mark: launchId,
        target: image.target,
      });
    },

    async closeLaunch(launchId: string): Promise<void> {
      await ledger.close(launchId);
    },

    async recordTest(test: TestRecord): Promise<void> {
      await bakes.recordTest(test);
    },
  };
}
