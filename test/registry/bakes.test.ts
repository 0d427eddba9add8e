import { ulid } from 'ulid';
import { describe, expect, it } from 'vitest';
import type { BuildRecord } from '../../src/registry/contract/bakes.ts';
import { useDatabase } from '../support/database.ts';
import { type Gate, inLanes } from './support/interleave.ts';
import { seedLines } from './support/seed.ts';
import { eventsOf } from './support/trail.ts';
import { ann, artifactsOf, createWorld, home, project, refusal } from './support/world.ts';

const database = useDatabase({ connections: 20 });

const done = (imageId: string, source = 'file.one'): BuildRecord => ({
  source,
  state: 'done',
  images: [{ target: home, imageId, digest: 'sha256:d', sizeBytes: 7_000_000_000 }],
});
const broken = (source: string): BuildRecord => ({
  source,
  state: 'failed',
  failure: { code: 'bake_failed', message: 'exit 1' },
  images: [],
});

async function aRequest() {
  const world = createWorld(database());
  const bucket = await world.line();
  const { request } = await world.registry.requests.accept({
    project,
    bucket,
    kind: 'bake',
    variables: {},
    by: ann,
  });
  return { ...world, bucket, request };
}

/** One line for each lane: those that race are then the two that are meant to. */
function lineOfLane() {
  const world = createWorld(database());
  const lines = new Map<Gate, Promise<{ bucket: string; bucketId: string }>>();
  const make = async () => {
    const bucket = await world.line();
    return { bucket, bucketId: (await world.registry.lines.get(project, bucket)).id };
  };
  return (gate: Gate) => {
    const known = lines.get(gate) ?? make();
    lines.set(gate, known);
    return known;
  };
}

async function anAttempt() {
  const world = await aRequest();
  const version = await world.registry.bakes.openVersion(world.request.id, 1);
  const input = { attemptId: ulid(), versionId: version.id, hostId: 'host-a', timeLimitMs: 60_000 };
  const attempt = await world.registry.bakes.openAttempt(input);
  return { ...world, version, attempt, input };
}

describe('a version', () => {
  it('is opened once per attempt, also by 30 at the same instant, with its names fixed', async () => {
    const { registry, request, bucket } = await aRequest();

    const opened = await Promise.all(
      Array.from({ length: 30 }, () => registry.bakes.openVersion(request.id, 1)),
    );

    expect(new Set(opened.map(({ id, fingerprint }) => `${id} ${fingerprint}`)).size).toBe(1);
    expect(opened[0]).toMatchObject({
      bucket,
      project,
      state: 'running',
      name: 'v0',
      number: null,
      builds: [],
    });
    expect((await registry.requests.byId(request.id)).versionId).toBe(opened[0]?.id);
    expect(await refusal('illegal_state', registry.bakes.openVersion(request.id, 2))).toContain('attempt 1');
  });

  it('carries the parents that its request pinned', async () => {
    const world = createWorld(database());
    const { bucket: parent, version: base } = await world.lineWithVersion();
    const bucket = await world.line({ parents: [parent] });

    const version = await world.open(bucket);

    expect(version.parents).toEqual([
      { versionId: base.id, bucket: parent, versionName: 'v1', channel: 'dev', variable: 'parent_0' },
    ]);
  });

  it('is not opened for a request that has ended', async () => {
    const { registry, request } = await aRequest();
    await registry.requests.finish(request.id, 1, { state: 'cancelled' });

    expect(await refusal('illegal_state', registry.bakes.openVersion(request.id, 1))).toContain('cancelled');
  });
});

describe('a bake attempt', () => {
  it('is found again by a repeat, and keeps a second one out until it is closed', async () => {
    const { registry, attempt, input, version, bucket } = await anAttempt();

    expect(await registry.bakes.openAttempt(input)).toEqual(attempt);
    expect(attempt.imageName).toBe(`${bucket}-${attempt.id.toLowerCase()}`);
    expect(Date.parse(attempt.deadline) - Date.parse(attempt.createdAt)).toBe(60_000);
    const second = { ...input, attemptId: ulid(), hostId: 'host-b' };
    expect(await refusal('conflict', registry.bakes.openAttempt(second))).toContain(
      `${attempt.id} on host host-a`,
    );
    expect(await registry.bakes.attemptsOf(version.id)).toEqual([attempt]);

    await registry.bakes.closeAttempt(attempt.id, 'lost');
    await registry.bakes.closeAttempt(attempt.id, 'ended');
    const next = await registry.bakes.openAttempt(second);

    expect(await registry.bakes.attemptsOf(version.id)).toEqual([{ ...attempt, state: 'lost' }, next]);
    expect(next.bakeId).toBe(attempt.bakeId);
    expect(await registry.bakes.isCurrent(attempt.id)).toBe(false);
    expect(await registry.bakes.isCurrent(next.id)).toBe(true);
    expect(await registry.bakes.unwanted([attempt.id, next.id])).toEqual([attempt.id]);
  });

  it('is one where 20 hosts open theirs at the same instant', async () => {
    const { registry, request } = await aRequest();
    const { id: versionId } = await registry.bakes.openVersion(request.id, 1);

    const settled = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        registry.bakes.openAttempt({ attemptId: ulid(), versionId, hostId: `h${index}`, timeLimitMs: 1 }),
      ),
    );

    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await registry.bakes.attemptsOf(versionId)).toHaveLength(1);
  });

  it('is current no more once its request has ended or its version was cancelled', async () => {
    const one = await anAttempt();
    const two = await anAttempt();
    expect(await one.registry.bakes.isCurrent(one.attempt.id)).toBe(true);

    await one.registry.requests.finish(one.request.id, 1, { state: 'failed' });
    await two.registry.bakes.cancelVersion(two.version.id, 'asked for');

    expect(await one.registry.bakes.isCurrent(one.attempt.id)).toBe(false);
    expect(await two.registry.bakes.isCurrent(two.attempt.id)).toBe(false);
  });
});

describe('images of a bake that came to nothing', () => {
  it('are the business of the host that baked last, until they are deleted', async () => {
    const { registry, attempt, version } = await anAttempt();
    const recorded = await registry.bakes.recordBuilds(attempt.id, [done('image-1')]);
    const wanted = await registry.bakes.withUnwantedImages('host-a');
    expect(wanted).not.toContain(attempt.id);
    await registry.bakes.closeAttempt(attempt.id, 'ended');
    await registry.bakes.cancelVersion(version.id, 'asked for');

    expect(await registry.bakes.withUnwantedImages('host-a')).toContain(attempt.id);
    expect(await registry.bakes.withUnwantedImages('host-b')).not.toContain(attempt.id);
    const [artifact] = artifactsOf(recorded);
    await registry.enforcement.record({
      receiptId: `unwanted/${artifact?.id}`,
      versionId: version.id,
      artifactId: artifact?.id ?? '',
      target: home,
      action: 'delete',
      outcome: 'done',
      launchable: false,
      detail: 'deleted',
      lastKnown: 'deleted',
    });
    expect(await registry.bakes.withUnwantedImages('host-a')).not.toContain(attempt.id);
  });
});

describe('builds', () => {
  it('are recorded with their images, partly done too, and again without doubling', async () => {
    const { registry, attempt, version } = await anAttempt();
    const builds = [done('image-1'), broken('file.two')];

    await registry.bakes.recordBuilds(attempt.id, builds);
    const again = await registry.bakes.recordBuilds(attempt.id, builds);

    expect(again.builds).toMatchObject([
      {
        source: 'file.one',
        state: 'done',
        artifacts: [{ digest: 'sha256:d', sizeBytes: 7_000_000_000, lastKnown: 'unknown' }],
      },
      { source: 'file.two', state: 'failed', failure: { code: 'bake_failed' }, artifacts: [] },
    ]);
    expect(artifactsOf(again)).toHaveLength(1);
    const refused = registry.bakes.completeVersion(version.id, ann);
    expect(await refusal('illegal_state', refused)).toContain('file.two is failed');
    expect(await refusal('conflict', registry.bakes.recordBuilds(attempt.id, [done('image-2')]))).toContain(
      'image-2',
    );
  });

  it('of an attempt that is not current are refused and change nothing', async () => {
    const { registry, attempt, version } = await anAttempt();
    await registry.bakes.closeAttempt(attempt.id, 'lost');

    expect(await refusal('conflict', registry.bakes.recordBuilds(attempt.id, [done('late')]))).toContain(
      'swept',
    );
    expect((await registry.versions.get(version.id)).builds).toEqual([]);
  });

  it('and the loss of their attempt leave either the image or none, in both orders, 200 times', async () => {
    const { registry } = createWorld(database());
    const lines = await seedLines(database().store, 200, { versions: 0, open: 1 });
    const images = { recorded: 0, refused: 0 };

    await inLanes(database(), 4, 200, async (round, gate) => {
      const { bucketId, open } = lines[round] ?? { bucketId: '', open: [] };
      const [attemptId, versionId] = [ulid(), open[0] ?? ''];
      await registry.bakes.openAttempt({ attemptId, versionId, hostId: 'host-a', timeLimitMs: 60_000 });
      const write = () => registry.bakes.recordBuilds(attemptId, [done(`image-${round}`, 'file.two')]);
      const lose = () => registry.bakes.closeAttempt(attemptId, 'lost');
      const [first, second] = round % 2 === 0 ? [write, lose] : [lose, write];
      const settled = await gate.run([bucketId], first, second);

      const written = settled[round % 2 === 0 ? 0 : 1].status === 'fulfilled';
      const { builds } = await registry.versions.get(versionId);
      expect(builds.filter(({ source }) => source === 'file.two')).toHaveLength(written ? 1 : 0);
      images[written ? 'recorded' : 'refused'] += 1;
    });

    expect(images).toEqual({ recorded: 100, refused: 100 });
  }, 120_000);
});

describe('completion', () => {
  it('gives the number, moves latest and says so once, however often it is asked', async () => {
    const world = createWorld(database());
    const bucket = await world.line();
    const version = await world.open(bucket);

    const completed = await Promise.all(Array.from({ length: 10 }, () => world.complete(version)));

    expect(new Set(completed.map(({ name }) => name))).toEqual(new Set(['v1']));
    expect(completed[0]).toMatchObject({ state: 'complete', number: 1, tested: false, verified: false });
    expect(await world.effective(bucket, 'latest')).toBe('v1');
    const history = await world.registry.channels.history(project, bucket, 'latest');
    expect(history).toMatchObject([{ sequence: 1, versionId: version.id, cause: 'completed' }]);
    expect(await eventsOf(database().store, version.id, 'version.completed')).toHaveLength(1);
    expect((await world.registry.lines.get(project, bucket)).latestNumber).toBe(1);
  });

  it('of 40 versions of one bucket at the same instant gives dense numbers and one latest', async () => {
    const world = createWorld(database());
    const bucket = await world.line();
    const versions = await Promise.all(Array.from({ length: 40 }, () => world.open(bucket)));

    const completed = await Promise.all(versions.map((version) => world.complete(version)));

    const wanted = Array.from({ length: 40 }, (_, index) => index + 1);
    expect(completed.map(({ number }) => number).toSorted((a, b) => Number(a) - Number(b))).toEqual(wanted);
    const history = await world.registry.channels.history(project, bucket, 'latest');
    expect(history.map(({ sequence }) => sequence)).toEqual(wanted.toReversed());
    expect(await world.effective(bucket, 'latest')).toBe('v40');
  });

  it('starts the default end of life, once, and wakes who waits for it', async () => {
    const world = createWorld(database());
    const bucket = await world.line({ endOfLifeMs: 86_400_000 });

    const version = await world.bake(bucket);

    const records = await world.registry.revocations.records(version.id);
    expect(records).toMatchObject([{ kind: 'policy', descendants: false, rollBack: true, liftedAt: null }]);
    expect(Date.parse(records[0]?.dueAt ?? '') - Date.parse(version.completedAt ?? '')).toBe(86_400_000);
    expect(version.revocation).toMatchObject({ state: 'scheduled', at: records[0]?.dueAt });
  });

  it('is refused without builds, after a failure, and after the end of the request', async () => {
    const { registry, version, request, attempt } = await anAttempt();
    const complete = () => registry.bakes.completeVersion(version.id, ann);

    expect(await refusal('illegal_state', complete())).toContain('no build yet');
    await registry.bakes.recordBuilds(attempt.id, [done('image-1')]);
    const failure = { code: 'bake_failed', message: 'why' } as const;
    // The end of a request ends the version that still runs for it.
    await registry.requests.finish(request.id, 1, { state: 'failed', failure });
    expect(await refusal('illegal_state', complete())).toContain('is failed');
    await registry.bakes.failVersion(version.id, { code: 'bake_failed', message: 'too late' });
    await registry.bakes.cancelVersion(version.id, 'too late');
    const ended = await registry.versions.get(version.id);
    expect(ended).toMatchObject({
      state: 'failed',
      failure,
      number: null,
    });
    expect(await eventsOf(database().store, version.id, 'version.cancelled')).toEqual([]);
  });

  it('stays: a complete version neither fails nor is cancelled', async () => {
    const world = createWorld(database());
    const version = await world.bake(await world.line());

    expect(await refusal('illegal_state', world.registry.bakes.cancelVersion(version.id, 'no'))).toContain(
      'Revoke',
    );
  });

  it('against an abandonment has one winner, in both orders, 200 times', async () => {
    const world = createWorld(database());
    const { registry } = world;
    const line = lineOfLane();
    const states = { complete: 0, cancelled: 0 };

    await inLanes(database(), 4, 200, async (round, gate) => {
      const { bucket, bucketId } = await line(gate);
      const { latestNumber } = await registry.lines.get(project, bucket);
      const version = await world.open(bucket);
      const complete = () => world.complete(version);
      const abandon = () => registry.requests.finish(version.requestId ?? '', 1, { state: 'abandoned' });
      const [first, second] = round % 2 === 0 ? [complete, abandon] : [abandon, complete];
      await gate.run([bucketId], first, second);

      const { state, number } = await registry.versions.get(version.id);
      const won = round % 2 === 0;
      expect([state, number]).toEqual(won ? ['complete', latestNumber + 1] : ['cancelled', null]);
      const latest = won ? `v${latestNumber + 1}` : latestNumber === 0 ? null : `v${latestNumber}`;
      expect(await world.effective(bucket, 'latest')).toBe(latest);
      expect((await registry.requests.byId(version.requestId ?? '')).state).toBe('abandoned');
      states[state === 'complete' ? 'complete' : 'cancelled'] += 1;
    });

    expect(states).toEqual({ complete: 100, cancelled: 100 });
  }, 120_000);
});

describe('a test launch', () => {
  it('is recorded once; the latest one counts', async () => {
    const world = createWorld(database());
    const { registry } = world;
    const version = await world.bake(await world.line());
    const [artifact] = artifactsOf(version);
    const artifactId = artifact?.id ?? '';
    const run = { id: ulid(), artifactId, passed: true, bootMs: 4321.6, checks: [] };

    await registry.bakes.recordTest(run);
    await registry.bakes.recordTest({ ...run, passed: false });
    expect((await registry.versions.get(version.id)).tested).toBe(true);
    const detail = `\0${'ü'.repeat(4000)}end`;
    const checks = [{ name: 'ssh', passed: false, detail }];
    await registry.bakes.recordTest({ ...run, id: ulid(), passed: false, checks });

    const after = await registry.versions.get(version.id);
    expect(after.tested).toBe(false);
    const test = artifactsOf(after)[0]?.test;
    expect(test).toMatchObject({ passed: false, bootMs: 4322 });
    const kept = test?.checks[0]?.detail ?? '';
    expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(2048);
    expect(kept).toMatch(/^…ü+end$/);
    expect(await eventsOf(database().store, version.id, 'artifact.tested')).toHaveLength(2);
  });

  it('knows the marks that all attempts of its version left', async () => {
    const { registry, attempt, version, input } = await anAttempt();
    await registry.bakes.rememberMarks(attempt.id, ['key-1']);
    await registry.bakes.rememberMarks(attempt.id, ['key-1', 'key-2']);
    await registry.bakes.closeAttempt(attempt.id, 'lost');
    const next = await registry.bakes.openAttempt({ ...input, attemptId: ulid() });
    await registry.bakes.rememberMarks(next.id, ['key-3']);
    const recorded = await registry.bakes.recordBuilds(next.id, [done('image-1')]);

    const artifact = await registry.bakes.getArtifact(artifactsOf(recorded)[0]?.id ?? '');

    expect(artifact.mustBeGone.toSorted()).toEqual(['key-1', 'key-2', 'key-3']);
    expect(artifact).toMatchObject({
      versionId: version.id,
      project,
      image: { target: home, imageId: 'image-1' },
    });
    expect(await refusal('not_found', registry.bakes.getArtifact('nothing'))).toContain('nothing');
  });
});
