import { sql } from 'kysely';
import { effectiveAssignment, type HistoryRow } from '../../domain/effective-assignment.ts';
import { prepare } from '../../store/prepared.ts';
import type { Store } from '../../store/store.ts';
import type { Views } from '../contract/views.ts';
import { channelStanding, standingOf } from '../status.ts';
import { authorOf, channelColumns, refuseHidden, toChannelViews, type ChannelRow } from './channels.ts';
import { toVersionViews } from './load-versions.ts';
import { missing } from './missing.ts';
import { versionColumns, type VersionRow } from './version-rows.ts';

interface Row {
  readonly now: string;
  readonly channel: ChannelRow | null;
  readonly newest: HistoryRow | null;
  readonly version: VersionRow | null;
}

/** A channel with the version of its newest row, whatever became of that: all of it in one query that is planned once. */
const query = sql<Row>`
  select date_trunc('milliseconds', clock_timestamp()) as now,
    (select to_json(found) from (select ${channelColumns}) found where c.id is not null) as channel,
    case when a.id is not null then json_build_object('id', a.id, 'sequence', a.sequence, 'versionId', a.version_id,
      'versionName', a.version_name, 'cause', a.cause, 'leftByHand', a.left_by_hand) end as newest,
    (
      select to_json(found) from (select ${versionColumns(false)} from version v where v.id = a.version_id and v.deleted_at is null) found
    ) as version
  from project p
    join bucket b on b.project_id = p.id and b.name = ${'bucket'} and b.deleted_at is null
    left join channel c on c.bucket_id = b.id and c.name = ${'channel'} and c.deleted_at is null
    left join lateral (
      select * from assignment s where s.channel_id = c.id order by s.sequence desc limit 1
    ) a on true
  where p.name = ${'project'}`;

/** What every consumer asks: one query, and more only where the newest version was revoked. */
export function channelReader(store: Store): Views['channel'] {
  const read = prepare(store, 'hcp_channel', query);
  return async (project, bucket, name, sights) => {
    const [row] = await read({ project, bucket, channel: name });
    if (row === undefined) throw missing('bucket', bucket);
    const { channel, newest, version, now } = row;
    if (channel === null) throw missing('channel', name);
    refuseHidden(channel, sights);
    const standing = version === null ? undefined : channelStanding(standingOf(version, now));
    const history = newest === null ? [] : [newest];
    const effective = effectiveAssignment(history, () => standing ?? channelStanding(), channel.managed);
    if (effective.derived) {
      const [view] = await toChannelViews(store.db, [channel], sights);
      if (view === undefined) throw missing('channel', name);
      return view;
    }
    const views = version === null ? undefined : await toVersionViews(store.db, [version], sights, now);
    return { ...channel, author: authorOf(channel), version: views?.get(version?.id ?? '') ?? null };
  };
}
