/** What webhooks are told of versions, channels and places, each in one query. */
import { sql } from 'kysely';
import { latestChannel } from '../../domain/names.ts';
import type { Tx } from '../../store/store.ts';
import type { VersionView } from '../contract/views.ts';
import { toVersionView, versionColumns, type VersionRow } from '../views/version-rows.ts';
import type { News } from './news.ts';

export interface Place {
  readonly project: string;
  readonly projectId: string;
  readonly organizationId: string;
  readonly registryId: string;
  readonly bucket: string;
  readonly bucketId: string;
}

export interface ChannelFact {
  readonly id: string;
  readonly name: string;
  readonly managed: boolean;
  readonly restricted: boolean;
  readonly previousVersionId: string | null;
}

/** Its builds hold `mostArtifacts` each at most, of `artifactCount` together. */
export interface VersionFact extends VersionView {
  readonly artifactCount: number;
}

/** Told of a version: a call is read whole by whom it is made to, and written for each webhook within the change. */
export const mostArtifacts = 100;

export interface Facts {
  readonly versions: ReadonlyMap<string, VersionFact>;
  placeOf(news: News): Place | undefined;
  channelOf(news: News): ChannelFact | undefined;
  /** Versions that inherit nothing of their revocation. */
  readonly alone: ReadonlySet<string>;
}

export async function factsOf(tx: Tx, news: readonly News[], now: string): Promise<Facts> {
  const channels = await channelsOf(
    tx,
    news.filter(({ action }) => action === 'assign'),
  );
  const ids = [
    ...news.map(({ versionId }) => versionId),
    ...channels.map(({ previousVersionId }) => previousVersionId),
  ].filter((id) => id !== null);
  const versions = await versionsOf(tx, ids, now);
  const places = await placesOf(tx, news, [...versions.values()]);
  return {
    versions,
    placeOf: ({ versionId, event }) => {
      const bucketId = versionId === null ? undefined : versions.get(versionId)?.bucketId;
      return places.find((place) =>
        bucketId === undefined
          ? place.project === event.project && place.bucket === event.bucket
          : place.bucketId === bucketId,
      );
    },
    channelOf: ({ eventId }) => channels.find((channel) => channel.eventId === eventId),
    alone: await withoutHeirs(tx, news),
  };
}

/** Deleted ones too: of those it is told that they are. */
async function versionsOf(
  tx: Tx,
  ids: readonly string[],
  now: string,
): Promise<ReadonlyMap<string, VersionFact>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<VersionRow & { readonly artifactCount: number }>`
    select ${versionColumns(false, mostArtifacts)}, (
      select count(*)::integer from build bu join artifact a on a.build_id = bu.id
      where bu.version_id = v.id and bu.deleted_at is null and bu.state = 'done'
    ) as "artifactCount"
    from version v join bucket b on b.id = v.bucket_id
    where v.id = any(${[...new Set(ids)]}::text[])`.execute(tx);
  return new Map(
    rows.map((row) => [row.id, { ...toVersionView(row, null, now), artifactCount: row.artifactCount }]),
  );
}

async function placesOf(
  tx: Tx,
  news: readonly News[],
  versions: readonly VersionView[],
): Promise<readonly Place[]> {
  const named = news.map(({ event: { project, bucket = null } }) => ({ project, bucket }));
  const { rows } = await sql<Place>`
    select p.name as project, p.id as "projectId", p.organization_id as "organizationId", b.name as bucket, b.id as "bucketId",
      r.id as "registryId"
    from bucket b
      join project p on p.id = b.project_id
      join registry_config r on r.project_id = p.id
    where b.id = any(${versions.map(({ bucketId }) => bucketId)}::text[]) or b.deleted_at is null and exists (
      select from jsonb_to_recordset(${JSON.stringify(named)}::jsonb) as n (project text, bucket text)
      where n.project = p.name and n.bucket = b.name
    )`.execute(tx);
  return rows;
}

/** The channel of an event, with what it pointed to before its newest change. */
async function channelsOf(
  tx: Tx,
  news: readonly News[],
): Promise<readonly (ChannelFact & { readonly eventId: string })[]> {
  if (news.length === 0) return [];
  const asked = news.map(({ eventId, event, versionId }) => ({
    event_id: eventId,
    channel_id: event.kind === 'channel.assigned' ? event.subjectId : null,
    version_id: versionId,
  }));
  const { rows } = await sql<ChannelFact & { readonly eventId: string }>`
    select n.event_id as "eventId", c.id, c.name, c.managed, c.restricted, (
      select a.version_id from assignment a where a.channel_id = c.id order by a.sequence desc offset 1 limit 1
    ) as "previousVersionId"
    from jsonb_to_recordset(${JSON.stringify(asked)}::jsonb) as n (event_id text, channel_id text, version_id text)
      left join version v on v.id = n.version_id and n.channel_id is null
      join channel c on c.id = n.channel_id or c.bucket_id = v.bucket_id and c.name = ${latestChannel}`.execute(
    tx,
  );
  return rows;
}

async function withoutHeirs(tx: Tx, news: readonly News[]): Promise<ReadonlySet<string>> {
  const ids = news.flatMap(({ action, versionId }) =>
    action === 'revoke' && versionId !== null ? [versionId] : [],
  );
  if (ids.length === 0) return new Set();
  const { rows } = await sql<{ id: string }>`
    select version_id as id from revocation
    where version_id = any(${ids}::text[]) and lifted_at is null group by version_id having not bool_or(descendants)`.execute(
    tx,
  );
  return new Set(rows.map(({ id }) => id));
}
