import { ulid } from 'ulid';
import { expect } from 'vitest';
import type { Actor } from '../../../src/domain/actor.ts';
import { isFailure, type FailureCode } from '../../../src/domain/failure.ts';
import { openGates, type Gates, type ImageLine } from '../../../src/domain/image-line.ts';
import { templateDigest } from '../../../src/domain/template-digest.ts';
import type { Target } from '../../../src/domain/target.ts';
import type { Version } from '../../../src/domain/version.ts';
import { createRegistry } from '../../../src/registry/create-registry.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import type { TestDatabase } from '../../support/database.ts';

export const project = 'tests';
export const ann: Actor = { name: 'ann', via: 'api' };
export const bob: Actor = { name: 'bob', via: 'api' };
export const home: Target = { provider: 'qemu', account: 'local', region: 'here' };

export interface LineOptions {
  readonly parents?: readonly string[];
  /** In promotion order. */
  readonly channels?: Readonly<Record<string, Partial<Gates>>>;
  readonly deleteAfterMs?: number;
  readonly endOfLifeMs?: number;
  readonly endOfLifeCascades?: boolean;
  readonly targets?: readonly Target[];
  readonly adopt?: boolean;
}

/** Lines, versions and channels made through the registry's own functions, in a few words. */
export interface World {
  readonly registry: Registry;
  /** A bucket of a fresh name with the channels `dev` and `prod`, open. Answers its name. */
  line(options?: LineOptions): Promise<string>;
  /** A version with one built image, ready to be completed. Its parents are what their `dev` points to. */
  open(bucket: string): Promise<Version>;
  complete(version: Version): Promise<Version>;
  bake(bucket: string): Promise<Version>;
  /** A bucket with its first version, on `dev` and `prod`. */
  lineWithVersion(options?: LineOptions): Promise<{ bucket: string; version: Version }>;
  assign(version: Version, ...channels: string[]): Promise<void>;
  revoke(version: Version, options?: RevokeOptions): Promise<string>;
  /** Name of the version a channel points to now; null when unassigned. */
  effective(bucket: string, channel: string): Promise<string | null>;
  /** Passed tests and verifications for every image. */
  prove(version: Version): Promise<void>;
}

export interface RevokeOptions {
  readonly at?: string;
  readonly inMs?: number;
  readonly rollBack?: boolean;
  readonly descendants?: boolean;
  readonly recordId?: string;
  readonly reason?: string;
}

const files = { 'image.pkr.hcl': new TextEncoder().encode('source "file" "one" {}') };
const template = { digest: await templateDigest(files), files };

export function createWorld(database: TestDatabase): World {
  const registry = createRegistry(database.store);
  const world: World = {
    registry,
    line: (options = {}) => applyLine(registry, options),
    open: (bucket) => open(registry, bucket),
    complete: (version) => registry.bakes.completeVersion(version.id, ann),
    bake: async (bucket) => world.complete(await world.open(bucket)),
    lineWithVersion: async (options) => {
      const bucket = await world.line(options);
      const version = await world.bake(bucket);
      await world.assign(version, 'dev', 'prod');
      return { bucket, version };
    },
    assign: async (version, ...channels) => {
      for (const channel of channels) {
        await registry.channels.assign({
          project,
          bucket: version.bucket,
          channel,
          versionId: version.id,
          by: ann,
        });
      }
    },
    revoke: async (version, options = {}) => {
      const { record } = await registry.revocations.revoke({
        versionId: version.id,
        reason: options.reason ?? 'a hole',
        rollBack: options.rollBack ?? true,
        descendants: options.descendants ?? true,
        by: ann,
        ...(options.at === undefined ? {} : { at: options.at }),
        ...(options.inMs === undefined ? {} : { inMs: options.inMs }),
        ...(options.recordId === undefined ? {} : { recordId: options.recordId }),
      });
      return record.id;
    },
    effective: async (bucket, channel) =>
      (await registry.channels.get(project, bucket, channel)).effective.versionName,
    prove: (version) => prove(registry, version),
  };
  return world;
}

async function applyLine(registry: Registry, options: LineOptions): Promise<string> {
  const bucket = `line-${ulid().slice(-16).toLowerCase()}`;
  await registry.lines.putTemplate(template);
  const line: ImageLine = {
    bucket,
    description: '',
    template: { kind: 'folder', path: 'images', entry: 'image.pkr.hcl', digest: template.digest },
    sources: [],
    variables: {},
    parents: (options.parents ?? []).map((parent, index) => ({
      bucket: parent,
      channel: 'dev',
      variable: `parent_${index}`,
    })),
    targets: (options.targets ?? [home]).map((target) => ({ ...target, launch: {} })),
    tests: [],
    channels: Object.entries(options.channels ?? { dev: {}, prod: {} }).map(([name, gates]) => ({
      name,
      gates: { ...openGates, ...gates },
    })),
    timeLimitMs: 3_600_000,
    endOfLifeCascades: options.endOfLifeCascades ?? false,
    ...(options.endOfLifeMs === undefined ? {} : { endOfLifeMs: options.endOfLifeMs }),
    ...(options.deleteAfterMs === undefined ? {} : { deleteAfterMs: options.deleteAfterMs }),
    ...(options.adopt === undefined ? {} : { adopt: options.adopt }),
  };
  await registry.lines.apply(project, [line], ann);
  return bucket;
}

async function open(registry: Registry, bucket: string): Promise<Version> {
  const { request } = await registry.requests.accept({
    project,
    bucket,
    kind: 'bake',
    variables: {},
    by: ann,
  });
  const version = await registry.bakes.openVersion(request.id, request.attempt);
  const attemptId = ulid();
  await registry.bakes.openAttempt({
    attemptId,
    versionId: version.id,
    hostId: 'host',
    timeLimitMs: 3_600_000,
  });
  const { line } = await registry.lines.get(project, bucket);
  await registry.bakes.recordBuilds(attemptId, [
    {
      source: 'file.one',
      state: 'done',
      images: (line?.targets ?? [home]).map(({ provider, account, region }) => ({
        target: { provider, account, region },
        imageId: `image-${attemptId}`,
      })),
    },
  ]);
  await registry.bakes.closeAttempt(attemptId, 'ended');
  return registry.versions.get(version.id);
}

async function prove(registry: Registry, version: Version): Promise<void> {
  for (const artifact of artifactsOf(version)) {
    await registry.bakes.recordTest({
      id: ulid(),
      artifactId: artifact.id,
      passed: true,
      bootMs: 5,
      checks: [],
    });
    await registry.enforcement.record({
      receiptId: ulid(),
      versionId: version.id,
      artifactId: artifact.id,
      target: artifact.image.target,
      action: 'verify',
      outcome: 'done',
      launchable: true,
      detail: '',
      lastKnown: 'present',
    });
  }
}

export function artifactsOf(version: Version) {
  return version.builds.flatMap((build) => build.artifacts);
}

/** The message of a refusal with this code; anything else fails the test. */
export async function refusal(code: FailureCode, attempt: Promise<unknown>): Promise<string> {
  const outcome = await attempt.then(
    () => 'it was not refused',
    (error: unknown) => error,
  );
  if (!isFailure(outcome)) throw outcome instanceof Error ? outcome : new Error(String(outcome));
  expect(outcome.code).toBe(code);
  return outcome.message;
}
