/** Builds whose Packer is heard of no more. */
import { sql } from 'kysely';
import { ulid } from 'ulid';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { BuildFields } from '../../src/registry/contract/publishing.ts';
import { useDatabase } from '../support/database.ts';
import { seedLines } from './support/seed.ts';
import { ann, createWorld, project, refusal, type World } from './support/world.ts';

const database = useDatabase({ connections: 5 });
let world: World;
beforeAll(async () => {
  world = createWorld(database());
  await seedLines(database().store, 1, { versions: 0 });
});
// Up for an hour.
beforeEach(async () => {
  await world.registry.heartbeats.serverIsUp();
  await sql`update server_watch set since = clock_timestamp() - interval '1 hour'`.execute(
    database().store.db,
  );
});

const run = 'a-run';

async function running() {
  const bucket = `hb-${ulid().slice(-12).toLowerCase()}`;
  const at = { project, bucket, fingerprint: ulid(), by: ann };
  await world.registry.buckets.create({ ...at, description: '', labels: {} });
  await world.registry.publishing.openVersion({ ...at, templateType: null });
  const place = { ...at, mayRead: () => true };
  const buildId = await world.registry.publishing.openBuild({
    ...place,
    componentType: 'file.one',
    fields: { state: 'running', packerRunUuid: run },
  });
  const { id: versionId } = await world.registry.versions.find(project, bucket, at.fingerprint);
  return {
    bucket,
    versionId,
    update: (fields: BuildFields) => world.registry.publishing.updateBuild({ ...place, buildId, fields }),
    async heardBefore(minutes: number) {
      await sql`update build set heartbeat_at = clock_timestamp() - make_interval(mins => ${minutes}) where id = ${buildId}`.execute(
        database().store.db,
      );
    },
    state: async () => (await world.registry.views.build(project, bucket, at.fingerprint, buildId)).state,
    version: async () => (await world.registry.versions.get(versionId)).name,
  };
}

const done: BuildFields = {
  state: 'done',
  packerRunUuid: run,
  platform: 'file',
  artifacts: [{ externalIdentifier: 'image', region: 'here' }],
};

test('a build is cancelled when it was silent for ten minutes, not before, and once', async () => {
  const { heartbeats } = world.registry;
  const build = await running();
  await build.heardBefore(9);
  expect(await heartbeats.expire(build.versionId)).toBe(0);
  const due = await heartbeats.nextExpiry(build.versionId);
  expect(due?.waitMs).toBeGreaterThan(0);
  expect(due?.waitMs).toBeLessThanOrEqual(60_000);
  await build.heardBefore(11);
  expect((await heartbeats.nextExpiry(build.versionId))?.waitMs).toBe(0);
  expect(await heartbeats.expire(build.versionId)).toBe(1);
  expect(await heartbeats.expire(build.versionId)).toBe(0);
  expect(await heartbeats.nextExpiry(build.versionId)).toBeUndefined();
  expect(await build.state()).toBe('cancelled');
  const events = await world.registry.events.list(project, { bucket: build.bucket });
  expect(events.filter(({ kind }) => kind === 'build.expired')).toMatchObject([
    { by: { via: 'system' }, data: { source: 'file.one', packerRunUuid: run } },
  ]);
});

test('a heartbeat that comes in between keeps it running', async () => {
  const build = await running();
  await build.heardBefore(11);
  await build.update({ state: 'running', packerRunUuid: run });
  expect(await world.registry.heartbeats.expire(build.versionId)).toBe(0);
  expect(await build.state()).toBe('running');
});

test('the run of a build that expired may end it as done, no other run may, and it may go on', async () => {
  const build = await running();
  await build.heardBefore(11);
  await world.registry.heartbeats.expire(build.versionId);
  await refusal('illegal_state', build.update({ ...done, packerRunUuid: 'another' }));
  await build.update(done);
  expect(await build.version()).toBe('v1');

  const other = await running();
  await other.heardBefore(11);
  await world.registry.heartbeats.expire(other.versionId);
  await other.update({ state: 'running', packerRunUuid: run });
  expect(await other.state()).toBe('running');
  await other.update({ ...done, packerRunUuid: 'another' });
  expect(await other.version()).toBe('v1');
});

test('one that was cancelled by its run, before or after it expired, is not done afterwards', async () => {
  const build = await running();
  await build.update({ state: 'cancelled', packerRunUuid: run });
  await refusal('illegal_state', build.update(done));

  const other = await running();
  await other.heardBefore(11);
  await world.registry.heartbeats.expire(other.versionId);
  await other.update({ state: 'cancelled', packerRunUuid: run });
  await refusal('illegal_state', other.update(done));
});

test('silence while no server was up does not count', async () => {
  const { db } = database().store;
  const { heartbeats } = world.registry;
  const build = await running();
  await build.heardBefore(60);
  // Down for the last 20 minutes: nobody expires, and after the return ten minutes are counted anew.
  await sql`update server_watch set seen_at = clock_timestamp() - interval '20 minutes'`.execute(db);
  expect(await heartbeats.expire(build.versionId)).toBe(0);
  await heartbeats.serverIsUp();
  expect(await heartbeats.expire(build.versionId)).toBe(0);
  expect((await heartbeats.nextExpiry(build.versionId))?.waitMs).toBeGreaterThan(9 * 60_000);
  // A restart of half a minute is no gap.
  await sql`update server_watch set since = clock_timestamp() - interval '11 minutes', seen_at = clock_timestamp() - interval '40 seconds'`.execute(
    db,
  );
  await heartbeats.serverIsUp();
  expect(await heartbeats.expire(build.versionId)).toBe(1);
});

test('who listens is woken when a build starts, and by the reaper', async () => {
  const build = await running();
  const deliveries = () =>
    database()
      .store.db.selectFrom('delivery')
      .where('workflow_id', '=', `builds/${project}/${build.versionId}`)
      .select(['workflow', 'action', 'input'])
      .execute();
  const wake = { workflow: 'expireBuilds', action: 'wake', input: { versionId: build.versionId } };
  expect(await deliveries()).toEqual([wake]);
  await build.update({ state: 'running', packerRunUuid: run });
  expect(await deliveries()).toEqual([wake]);
  const subject = `builds:${build.versionId}`;
  await world.registry.claims.claim(subject, 'typed');
  await world.registry.claims.abandon(subject, 'typed');
  expect(await deliveries()).toEqual([wake, wake]);
});
