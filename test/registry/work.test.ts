import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { ulid } from 'ulid';
import { useDatabase } from '../support/database.ts';
import { createWorld, home, project } from './support/world.ts';

const database = useDatabase({ connections: 20 });
const registry = () => createWorld(database()).registry;

describe('a claim', () => {
  it('is held by one of a hundred that take it at the same instant, who may take it again', async () => {
    const { claims } = registry();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => claims.claim('request:race:1', `workflow-${index}`)),
    );

    expect(answers.filter(({ held }) => held)).toHaveLength(1);
    const holder = (await claims.holder('request:race:1')) ?? '';
    expect(answers.flatMap((answer) => (answer.held ? [] : [answer.heldBy]))).toEqual(Array(99).fill(holder));
    expect(await claims.claim('request:race:1', holder)).toEqual({ held: true });
  });

  it('is given back by its holder only, and taken over from the one that was asked about only', async () => {
    const { claims } = registry();
    await claims.claim('retire:1', 'a');

    await claims.release('retire:1', 'b');
    expect(await claims.holder('retire:1')).toBe('a');
    expect(await claims.takeOver('retire:1', 'b', 'c')).toBe(false);
    expect(await claims.takeOver('retire:1', 'a', 'c')).toBe(true);
    expect(await claims.claim('retire:1', 'a')).toEqual({ held: false, heldBy: 'c' });
    await claims.release('retire:1', 'c');
    expect(await claims.holder('retire:1')).toBeUndefined();
    expect(await claims.claim('retire:1', 'a')).toEqual({ held: true });
  });

  it('is listed for the reaper once it is old enough, page by page', async () => {
    const { claims } = registry();
    for (const subject of ['page:1', 'page:2', 'page:3']) await claims.claim(subject, 'w');

    const first = await claims.list(0, 2, 'page:');
    const second = await claims.list(0, 2, first.at(-1)?.subject);

    expect(first.map(({ subject }) => subject)).toEqual(['page:1', 'page:2']);
    expect(second.map(({ subject }) => subject)).toContain('page:3');
    expect(await claims.list(60_000, 10)).toEqual([]);
  });
});

describe('the ledger', () => {
  it('keeps what is about to be made until it is closed, and opens nothing twice', async () => {
    const { ledger } = registry();
    const owner = ulid();
    const entry = { id: ulid(), owner, kind: 'machine' as const, mark: 'launch-1', target: home };
    await ledger.open(entry);
    await ledger.open(entry);
    await ledger.open({ id: ulid(), owner, kind: 'packer', mark: 'attempt-1', target: null });

    expect(await ledger.listOpen({ owner })).toMatchObject([
      { ...entry, state: 'open', closedAt: null },
      { kind: 'packer', target: null },
    ]);
    expect(await ledger.listOpen({ owner, olderThanMs: 60_000 })).toEqual([]);
    await ledger.close(entry.id);
    await ledger.open(entry);
    expect(await ledger.listOpen({ owner })).toHaveLength(1);
    // Whoever ends a credential closes it: it may have been recorded a moment ago.
    await ledger.open({ id: ulid(), owner, kind: 'credential', mark: 'token a', target: null });
    await ledger.closeOwner(owner);
    await ledger.closeOwner(owner);
    expect(await ledger.listOpen({ owner })).toMatchObject([{ kind: 'credential' }]);
  });
});

describe('bake hosts', () => {
  it('are picked by builder, free slots and load, and only when seen lately', async () => {
    const world = createWorld(database());
    const { hosts, bakes } = world.registry;
    const beat = (id: string, builders: readonly string[], slots: number) =>
      hosts.beat({ id, name: id, builders, slots });
    await beat('small', ['file', 'qemu'], 1);
    await beat('large', ['file', 'qemu', 'amazon-ebs'], 4);
    await beat('full', ['file', 'qemu'], 0);
    const pick = async (builders: readonly string[], except: readonly string[] = []) =>
      (await hosts.pick({ builders, except }))?.id;
    const occupy = async (hostId: string) => {
      const bucket = await world.line();
      const { request } = await world.registry.requests.accept({
        project,
        bucket,
        kind: 'bake',
        variables: {},
        by: { name: 'ann', via: 'api' },
      });
      const { id: versionId } = await bakes.openVersion(request.id, 1);
      const attemptId = ulid();
      await bakes.openAttempt({ attemptId, versionId, hostId, timeLimitMs: 1000 });
      return attemptId;
    };

    expect(await pick(['amazon-ebs'])).toBe('large');
    expect(await pick(['azure-arm'])).toBeUndefined();
    expect(await pick(['qemu'], ['large'])).toBe('small');
    const attempt = await occupy('small');
    expect(await pick(['qemu'], ['large'])).toBeUndefined();
    expect(await pick(['qemu', 'file'])).toBe('large');
    await bakes.closeAttempt(attempt, 'ended');
    await occupy('large');
    expect(await pick(['qemu'])).toBe('small');

    await sql`update bake_host set seen_at = clock_timestamp() - interval '16 seconds' where id = 'small'`.execute(
      database().store.db,
    );
    expect(await pick(['qemu'])).toBe('large');
    expect((await hosts.list()).map(({ id }) => id)).toEqual(['full', 'large', 'small']);
    await beat('small', ['file'], 2);
    expect((await hosts.list()).at(-1)).toMatchObject({ id: 'small', builders: ['file'], slots: 2 });
  });
});

describe('events', () => {
  it('are listed oldest first after a number, by bucket and version', async () => {
    const world = createWorld(database());
    const { bucket, version } = await world.lineWithVersion();

    const all = await world.registry.events.list(project, { bucket });
    const rest = await world.registry.events.list(project, {
      bucket,
      after: all[0]?.sequence ?? 0,
      limit: 2,
    });

    expect(all.map(({ kind }) => kind)).toEqual([
      'line.applied',
      'request.accepted',
      'version.opened',
      'version.completed',
      'channel.assigned',
      'channel.assigned',
    ]);
    expect(rest).toEqual(all.slice(1, 3));
    const own = await world.registry.events.list(project, { versionId: version.id });
    expect(own).toEqual(all.filter(({ versionId }) => versionId === version.id));
    expect(Date.parse(await world.registry.now())).toBeGreaterThanOrEqual(Date.parse(all.at(-1)?.at ?? ''));
  });
});
