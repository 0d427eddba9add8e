import { sql } from 'kysely';
import { expect } from 'vitest';
import { loadEffective, loadStandings } from '../../../src/registry/status.ts';
import type { Store } from '../../../src/store/store.ts';
import { clock } from '../../../src/store/transaction.ts';

/**
 * What must be true of the whole registry whenever nothing is due: whatever raced, in whichever order. Reads every channel and version
 * of the database.
 */
export async function expectInvariants(store: Store): Promise<void> {
  const { db } = store;
  const broken = async (query: string) => (await sql.raw(query).execute(db)).rows;

  expect(
    await broken(`
    select channel_id from assignment group by channel_id having max(sequence) <> count(*)`),
    'a sequence has gaps',
  ).toEqual([]);

  // Every complete child of a version with an open record that descends has a record of the same root, unless that was lifted alone.
  expect(
    await broken(`
    select a.child_version_id, r.root_id
    from revocation r
      join ancestry a on a.parent_version_id = r.version_id
      join version v on v.id = a.child_version_id and v.state = 'complete'
    where r.descendants and r.lifted_at is null and not exists (
      select from revocation i where i.version_id = v.id and i.root_id = r.root_id and i.lifted_at is null
        and i.due_at = r.due_at
    )`),
    'a child does not have its inherited record',
  ).toEqual([]);

  expect(
    await broken(`
    select i.id from revocation i join revocation r on r.id = i.root_id
    where i.lifted_at is null and r.lifted_at is not null`),
    'an inherited record outlived its root',
  ).toEqual([]);

  expect(
    await broken(`
    select data ->> 'cascade', data ->> 'change' from event
    where kind = 'revocation.effective' and (data ->> 'root')::boolean
    group by 1, 2 having count(*) <> 1`),
    'a cascade has two root events',
  ).toEqual([]);

  expect(
    await broken(`
    select workflow_id from delivery where action = 'start' group by 1 having count(*) <> 1`),
    'a workflow is started twice',
  ).toEqual([]);

  // Each record in effect is in the plan of a cascade that was started: its root's, or one of its own.
  expect(
    await broken(`
    select r.id from revocation r join revocation root on root.id = r.root_id
    where r.materialised_at is not null and cardinality(root.cascades) = 0 and cardinality(r.cascades) = 0`),
    'an effect without a cascade',
  ).toEqual([]);

  await expectNobodyOnRevoked(store);
}

async function expectNobodyOnRevoked(store: Store): Promise<void> {
  const { rows } = await sql<{ channelId: string; assignmentId: string; versionId: string | null }>`
    select distinct on (channel_id) channel_id as "channelId", id as "assignmentId", version_id as "versionId"
    from assignment order by channel_id, sequence desc`.execute(store.db);
  const now = await clock(store.db);
  const effective = await loadEffective(
    store.db,
    rows.map((row) => row.channelId),
    now,
  );
  const standings = await loadStandings(
    store.db,
    rows.flatMap((row) => row.versionId ?? []),
    now,
  );
  const wrong = rows.filter((row) => {
    const standing = standings.get(row.versionId ?? '');
    const onRevoked = standing?.status.state === 'revoked' && standing.rollBack;
    return onRevoked || effective.get(row.channelId)?.assignmentId !== row.assignmentId;
  });
  expect(wrong, 'a channel is recorded elsewhere than it effectively is').toEqual([]);
}
