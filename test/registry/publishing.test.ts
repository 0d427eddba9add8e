/** What clients that run Packer themselves write: versions and builds, and the completion within the last of them. */
import { sql } from 'kysely';
import { ulid } from 'ulid';
import { beforeAll, expect, test } from 'vitest';
import type { BuildFields } from '../../src/registry/contract/publishing.ts';
import { useDatabase } from '../support/database.ts';
import { expectInvariants } from './support/invariants.ts';
import { seedLines } from './support/seed.ts';
import { ann, createWorld, home, project, refusal, type World } from './support/world.ts';

const database = useDatabase();
let world: World;
beforeAll(async () => {
  world = createWorld(database());
  await seedLines(database().store, 1, { versions: 0 });
});

const run = '5d8ee3ca-1b6f-4d6b-9a4e-0a3ab6b9d1c1';

async function openBucket(): Promise<string> {
  const bucket = `pub-${ulid().slice(-12).toLowerCase()}`;
  await world.registry.buckets.create({ project, bucket, description: '', labels: {}, by: ann });
  return bucket;
}

async function openVersion(bucket: string): Promise<Draft> {
  const fingerprint = ulid();
  const at = { project, bucket, fingerprint, by: ann };
  await world.registry.publishing.openVersion({ ...at, templateType: 'HCL2' });
  const place = { ...at, mayRead: () => true };
  return {
    bucket,
    fingerprint,
    open: (componentType, fields = {}) =>
      world.registry.publishing.openBuild({ ...place, componentType, fields }),
    update: (buildId, fields, mayRead = () => true) =>
      world.registry.publishing.updateBuild({ ...place, mayRead, buildId, fields }),
    read: () => world.registry.versions.find(project, bucket, fingerprint),
  };
}

interface Draft {
  readonly bucket: string;
  readonly fingerprint: string;
  open(componentType: string, fields?: BuildFields): Promise<string>;
  update(buildId: string, fields: BuildFields, mayRead?: (bucket: string) => boolean): Promise<void>;
  read(): ReturnType<World['registry']['versions']['find']>;
}

const done = (name: string): BuildFields => ({
  state: 'done',
  packerRunUuid: run,
  platform: 'file',
  artifacts: [{ externalIdentifier: name, region: 'here' }],
});

const openAt = (input: Parameters<World['registry']['publishing']['openVersion']>[0]) =>
  world.registry.publishing.openVersion(input);

const doneFrom = (versionId: string): BuildFields => ({ ...done('one'), parent: { versionId } });

async function publish(bucket: string, fields: BuildFields = {}): Promise<Draft> {
  const draft = await openVersion(bucket);
  const id = await draft.open('file.one', { state: 'running', packerRunUuid: run });
  await draft.update(id, { ...done(`image-${draft.fingerprint}`), ...fields });
  return draft;
}

test('200 builds of 20 versions that end at once give 20 numbers without a gap, and `latest` the newest', async () => {
  const bucket = await openBucket();
  const drafts = await Promise.all(Array.from({ length: 20 }, () => openVersion(bucket)));
  const { rows } = await sql<{ id: string; fingerprint: string }>`
    with opened as (
      insert into build (id, version_id, source, state, created_at, updated_at)
      select v.id || '-' || n, v.id, 'file.' || n, 'running', v.created_at, v.created_at
      from version v join bucket b on b.id = v.bucket_id cross join generate_series(0, 9) n where b.name = ${bucket}
      returning id, version_id
    )
    select o.id, v.fingerprint from opened o join version v on v.id = o.version_id`.execute(
    database().store.db,
  );
  expect(rows).toHaveLength(200);
  await Promise.all(
    rows.map(async ({ id, fingerprint }) =>
      drafts.find((one) => one.fingerprint === fingerprint)?.update(id, done(id)),
    ),
  );
  const versions = await world.registry.versions.list(project, bucket, { limit: 100 });
  const numbers = versions.map(({ number }) => number ?? 0).toSorted((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(await world.effective(bucket, 'latest')).toBe('v20');
  const history = await world.registry.channels.history(project, bucket, 'latest', 100);
  expect(history.map(({ versionName }) => versionName)).toEqual(
    Array.from({ length: 20 }, (_, index) => `v${20 - index}`),
  );
});

test('the last build that is done completes the version, and one that failed keeps it open until it has run again', async () => {
  const bucket = await openBucket();
  const draft = await openVersion(bucket);
  const one = await draft.open('file.one', { state: 'running', packerRunUuid: run });
  const other = await draft.open('file.other', { state: 'running', packerRunUuid: run });
  await draft.update(one, done('one'));
  await draft.update(other, { state: 'failed', packerRunUuid: run });
  expect(await draft.read()).toMatchObject({ name: 'v0', state: 'running' });
  expect(await refusal('illegal_state', draft.update(other, done('other')))).toContain('Start it first');
  expect(await draft.open('file.other', { packerRunUuid: 'another' })).toBe(other);
  await draft.update(other, { state: 'running', packerRunUuid: 'another' });
  await draft.update(other, { ...done('other'), packerRunUuid: 'another' });
  expect(await draft.read()).toMatchObject({ name: 'v1', state: 'complete' });
  const events = await world.registry.events.list(project, { bucket });
  expect(events.map(({ kind }) => kind)).toEqual([
    'bucket.created',
    'version.opened',
    'build.opened',
    'build.opened',
    'build.done',
    'build.failed',
    'build.started',
    'build.done',
    'version.completed',
  ]);
});

test('what is done stays as it is: a repeat changes nothing, anything else is refused', async () => {
  const bucket = await openBucket();
  const draft = await openVersion(bucket);
  const id = await draft.open('file.one', { state: 'running', packerRunUuid: run });
  await draft.update(id, done('one'));
  const before = await world.registry.events.list(project, { bucket });
  await draft.update(id, done('one'));
  await draft.update(id, { state: 'done' });
  expect(await world.registry.events.list(project, { bucket })).toEqual(before);
  for (const fields of [
    { state: 'failed' as const },
    { state: 'cancelled' as const },
    { state: 'running' as const, packerRunUuid: run },
    done('another'),
  ]) {
    expect(await refusal('illegal_state', draft.update(id, fields))).toContain('is done');
  }
  await refusal('already_exists', draft.update(id, { ...done('one'), platform: 'aws' }));
  await refusal('already_exists', draft.open('file.one'));
  await refusal('illegal_state', draft.open('file.two'));
  expect((await draft.read()).state).toBe('complete');
});

test('fields that are set once take the same value again, new keys, and no other value', async () => {
  const draft = await openVersion(await openBucket());
  const id = await draft.open('file.one', { platform: 'file', labels: { os: 'debian' } });
  await draft.update(id, { state: 'running', packerRunUuid: run, platform: 'file' });
  await draft.update(id, {
    labels: { os: 'debian', git_sha: 'abc' },
    metadata: { packer: { version: '1' } },
  });
  expect(await refusal('already_exists', draft.update(id, { platform: 'aws' }))).toContain('Platform');
  await refusal('already_exists', draft.update(id, { labels: { os: 'alpine' } }));
  await refusal('already_exists', draft.update(id, { metadata: { packer: { version: '2' } } }));
  await draft.update(id, { metadata: { packer: { version: '1' }, vcs: {} } });
});

test('a heartbeat is no event, and another run may take a build over', async () => {
  const bucket = await openBucket();
  const draft = await openVersion(bucket);
  const id = await draft.open('file.one', { state: 'running', packerRunUuid: run });
  const heard = async () => {
    const row = await database()
      .store.db.selectFrom('build')
      .where('id', '=', id)
      .select(['heartbeat_at', 'packer_run_uuid', 'updated_at'])
      .executeTakeFirstOrThrow();
    return row;
  };
  await database()
    .store.db.updateTable('build')
    .set({ heartbeat_at: '2026-01-01T00:00:00.000Z' })
    .where('id', '=', id)
    .execute();
  const { updated_at: updatedAt } = await heard();
  const before = await world.registry.events.list(project, { bucket });
  await draft.update(id, { state: 'running', packerRunUuid: run });
  expect((await heard()).heartbeat_at).not.toBe('2026-01-01T00:00:00.000Z');
  await draft.update(id, { state: 'running', packerRunUuid: 'another' });
  expect(await heard()).toMatchObject({ packer_run_uuid: 'another', updated_at: updatedAt });
  expect(await world.registry.events.list(project, { bucket })).toEqual(before);
  await draft.update(id, done('one'));
  expect((await draft.read()).name).toBe('v1');
});

test('an account is known where the line has one target of that provider and region', async () => {
  const targets = [home, { provider: 'aws', account: 'main', region: 'eu-west-1' }];
  const bucket = await world.line({ targets });
  const draft = await publish(bucket, {
    platform: 'aws',
    artifacts: [
      { externalIdentifier: 'ami-1', region: 'eu-west-1' },
      { externalIdentifier: 'ami-2', region: 'us-east-1' },
    ],
  });
  const { builds } = await draft.read();
  const places = builds.flatMap(({ artifacts }) => artifacts.map(({ image }) => image));
  expect(places.toSorted((a, b) => a.imageId.localeCompare(b.imageId))).toEqual([
    { imageId: 'ami-1', target: { provider: 'aws', account: 'main', region: 'eu-west-1' } },
    { imageId: 'ami-2', target: { provider: 'aws', account: 'unknown', region: 'us-east-1' } },
  ]);
});

test('a child knows its parent once, by name, and the channel that it was taken from', async () => {
  const base = await world.lineWithVersion();
  const dev = await world.registry.channels.get(project, base.bucket, 'dev');
  const draft = await openVersion(await openBucket());
  const parent = { versionId: base.version.id, channelId: dev.id };
  const one = await draft.open('file.one', { state: 'running', packerRunUuid: run });
  const two = await draft.open('file.two', { state: 'running', packerRunUuid: run });
  await draft.update(one, { ...done('one'), parent: { versionId: base.version.id } });
  await draft.update(two, { ...done('two'), parent });
  const child = await draft.read();
  expect(child).toMatchObject({ name: 'v1' });
  expect(child.parents).toEqual([
    {
      versionId: base.version.id,
      bucket: base.bucket,
      versionName: 'v1',
      channel: 'dev',
      variable: null,
    },
  ]);
});

test('a parent that is unknown, elsewhere, unreadable or not complete is refused, and the build goes on', async () => {
  const base = await world.lineWithVersion();
  const open = await world.open(base.bucket);
  const draft = await openVersion(await openBucket());
  const id = await draft.open('file.one', { state: 'running', packerRunUuid: run });
  await refusal('not_found', draft.update(id, doneFrom(ulid())));
  await refusal(
    'not_found',
    draft.update(id, doneFrom(base.version.id), (bucket) => bucket !== base.bucket),
  );
  await refusal('illegal_state', draft.update(id, doneFrom(open.id)));
  await refusal('illegal_state', draft.update(id, doneFrom((await draft.read()).id)));
  await draft.update(id, doneFrom(base.version.id));
  expect(await draft.read()).toMatchObject({ name: 'v1' });
});

test('a child of a revoked parent is revoked when it completes, and `latest` never shows it', async () => {
  const base = await world.lineWithVersion();
  await world.revoke(base.version);
  const bucket = await openBucket();
  const draft = await publish(bucket, { parent: { versionId: base.version.id } });
  expect((await draft.read()).revocation).toMatchObject({
    state: 'revoked',
    inheritedFrom: { versionId: base.version.id },
  });
  expect(await world.effective(bucket, 'latest')).toBeNull();
  await expectInvariants(database().store);
});

test('a fingerprint opens one version; a repeat that differs in nothing goes on', async () => {
  const bucket = await openBucket();
  const { fingerprint } = await openVersion(bucket);
  const again = { project, bucket, fingerprint, by: ann };
  await openAt({ ...again, templateType: 'HCL2' });
  await refusal('already_exists', openAt({ ...again, templateType: 'JSON' }));
  const finished = await publish(bucket);
  await refusal(
    'already_exists',
    openAt({ ...again, fingerprint: finished.fingerprint, templateType: 'HCL2' }),
  );
  for (const odd of ['', '-a', 'a-', 'a b', 'a'.repeat(41)]) {
    await refusal('invalid_input', openAt({ ...again, fingerprint: odd, templateType: null }));
  }
  await openAt({ ...again, fingerprint: 'a', templateType: null });
});

test('a version of a bake of ours is written by nobody else', async () => {
  const bucket = await world.line();
  const version = await world.open(bucket);
  const at = { project, bucket, fingerprint: version.fingerprint, by: ann, mayRead: () => true };
  const { publishing } = world.registry;
  await refusal('illegal_state', publishing.openBuild({ ...at, componentType: 'file.two', fields: {} }));
  await refusal('already_exists', publishing.openVersion({ ...at, templateType: null }));
});

test('buckets are made once, described again, and their `latest` is managed and restricted', async () => {
  const bucket = await openBucket();
  const { buckets } = world.registry;
  const said = { project, bucket, description: 'a base', labels: { team: 'a' }, by: ann };
  await refusal('already_exists', buckets.create(said));
  await refusal('invalid_input', buckets.create({ ...said, bucket: 'a b' }));
  await buckets.describe(said);
  await buckets.describe(said);
  await refusal('not_found', buckets.describe({ ...said, bucket: 'nothing' }));
  const events = await world.registry.events.list(project, { bucket });
  expect(events.map(({ kind }) => kind)).toEqual(['bucket.created', 'bucket.described']);
  expect(await world.registry.channels.get(project, bucket, 'latest')).toMatchObject({
    managed: true,
    restricted: true,
  });
});

const images = (count: number, of: string) =>
  Array.from({ length: count }, (_, index) => ({ externalIdentifier: `${of}-${index}`, region: 'here' }));

test('a version has so many builds and artifacts at most, however many ask at once', async () => {
  const draft = await openVersion(await openBucket());
  const tried = await Promise.allSettled(
    Array.from({ length: 101 }, (_, index) => draft.open(`file.${index}`, { state: 'running' })),
  );
  const ids = tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(ids).toHaveLength(100);
  expect(await refusal('illegal_state', draft.open('file.more'))).toContain('more than 100 builds');
  expect(ids).toContain(await draft.open('file.50'));

  const tell = async (index: number, count: number) =>
    draft.update(ids[index] ?? '', { platform: 'file', artifacts: images(count, `of-${index}`) });
  expect(await refusal('illegal_state', tell(0, 201))).toContain('more than 200 artifacts');
  for (let index = 0; index < 10; index += 1) await tell(index, 200);
  expect(await refusal('illegal_state', tell(10, 1))).toContain('more than 2000 artifacts');
  await tell(0, 199);
  await tell(10, 1);
});

test('what a version tells of its builds is bounded as a whole, because every reply that names it carries it', async () => {
  const draft = await openVersion(await openBucket());
  const labels = { long: 'x'.repeat(1_000_000) };
  const tell = async (index: number) => draft.open(`file.${index}`, { state: 'running', labels });
  for (let index = 0; index < 4; index += 1) await tell(index);
  expect(await refusal('illegal_state', tell(4))).toContain('more than 4 MiB of labels and metadata');
  await draft.open('file.4', { state: 'running', labels: { long: 'x'.repeat(100_000) } });
});
