import { sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { AssignmentView, Views } from '../contract/views.ts';
import type { PageOf } from '../contract/pages.ts';
import { authorOf, findChannelRow } from './channels.ts';
import { pageOfIds } from './keyset.ts';
import { loadVersionViews } from './load-versions.ts';

interface Row {
  readonly id: string;
  readonly versionId: string | null;
  readonly author: string;
  readonly at: string;
}

export async function loadHistory(
  db: Db,
  ...[project, bucket, name, page, sights]: Parameters<Views['history']>
): Promise<PageOf<AssignmentView> & { readonly count: number }> {
  const channel = await findChannelRow(db, project, bucket, name, sights);
  const found = await pageOfIds<'sequence'>(
    db,
    {
      table: 'assignment',
      scope: sql`from assignment t where t.channel_id = ${channel.id}`,
      shown: sql``,
      keys: { sequence: (t) => sql`${sql.ref(`${t}.sequence`)}` },
      order: [{ key: 'sequence', descending: true }],
      last: 'sequence',
    },
    page,
  );
  const { rows } = await sql<Row>`
    select a.id, a.version_id as "versionId", a.actor ->> 'name' as author, a.at
    from assignment a where a.id = any(${[...found.items]}::text[])
    order by a.sequence desc`.execute(db);
  // Sequences are dense, and begin with 1.
  const newest = await sql<{ readonly count: number }>`
    select coalesce(max(a.sequence), 0) as count from assignment a where a.channel_id = ${channel.id}`.execute(
    db,
  );
  const versions = await loadVersionViews(
    db,
    rows.flatMap(({ versionId }) => versionId ?? []),
    { sights, now: await clock(db), deleted: true },
  );
  return {
    ...found,
    items: rows.map(({ versionId, author, ...row }) => ({
      ...row,
      author: channel.managed ? authorOf(channel) : author,
      version: versionId === null ? null : (versions.get(versionId) ?? null),
    })),
    count: newest.rows[0]?.count ?? 0,
  };
}
