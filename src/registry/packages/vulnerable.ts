import { sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import type {
  PackageFilter,
  VulnerabilityFilter,
  VulnerabilityImpact,
  VulnerabilitySummary,
  VulnerablePackage,
} from '../contract/packages.ts';
import type { PageAsked, PageOf } from '../contract/pages.ts';
import type { PointedChannel } from './channels.ts';
import { pageClauses, toPage } from './page.ts';
import { bucketScope, packageMatches, sbomsOfPackage, vulnerabilityMatches } from './scope.ts';

/** `pointed`: what each channel that is seen points to. */
const pointedAt = (channels: readonly PointedChannel[]) => sql`
  pointed as (
    select id, name, version_id
    from jsonb_to_recordset(${JSON.stringify(channels)}::jsonb) as c (id text, name text, version_id text)
  )`;

const iso = (column: string) =>
  sql`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** `u` joined with `pv`. */
const vulnerability = sql`
  jsonb_build_object(
    'identifier', u.id, 'criticality', u.criticality, 'description', u.description, 'fixedVersion', pv.fixed_version,
    'firstSeenAt', ${iso('pv.first_seen_at')}, 'publishedAt', ${iso('u.published_at')}, 'aliases', u.aliases, 'related', u.related
  )`;

export async function listVulnerable(
  db: Db,
  bucketId: string,
  channels: readonly PointedChannel[],
  filter: PackageFilter & VulnerabilityFilter,
  ask: PageAsked<'name'>,
): Promise<PageOf<VulnerablePackage>> {
  const [id, build, channel] = ask.from?.id.split('.') ?? [];
  const page = pageClauses(
    ask,
    ['p.name', 'p.version', 'p.id', 'h.build_id', 'h.channel_id'],
    sql`select name, version, id, ${build}::text, ${channel}::text from package where id = ${id}::bigint`,
  );
  const { rows } = await sql<VulnerablePackage & { id: string; channelId: string }>`
    with ${bucketScope(bucketId)}, ${pointedAt(channels)},
    hit as (
      select distinct sp.package_id, s.build_id, s.source, coalesce(c.id, '-') collate "C" as channel_id, c.name as channel_name
      from scope s
        join sbom_package sp on sp.sbom_id = s.id
        left join pointed c on c.version_id = s.version_id
      where exists (
        select from package_vulnerability pv join vulnerability u on u.id = pv.vulnerability_id
        where pv.package_id = sp.package_id and ${vulnerabilityMatches(filter)}
      )
    ),
    imported as (select max(ended_at) as at from vulnerability_import)
    select p.id::text as id, p.name, p.version, p.purl, ${sbomsOfPackage} as sboms, h.channel_id as "channelId",
      jsonb_build_object('id', h.build_id, 'name', h.source) as build,
      case when h.channel_name is not null then jsonb_build_object('id', h.channel_id, 'name', h.channel_name) end as channel,
      greatest(p.scanned_at, (select at from imported)) as "scannedAt",
      (
        select jsonb_agg(found.one) from (
          select ${vulnerability} as one
          from package_vulnerability pv join vulnerability u on u.id = pv.vulnerability_id
          where pv.package_id = p.id and ${vulnerabilityMatches(filter)} order by u.id limit 1000
        ) found
      ) as vulnerabilities
    from hit h join package p on p.id = h.package_id
    where ${packageMatches(filter)} and ${page.where}
    ${page.order}`.execute(db);
  return toPage(rows, ask, (row) => `${row.id}.${row.build.id}.${row.channelId}`);
}

/** At most 1,000 different ones that vulnerability `u` reaches, as JSON. */
const some = (columns: ReturnType<typeof sql>, joined: ReturnType<typeof sql>) => sql`
  coalesce((
    select jsonb_agg(distinct one.it) from (
      select distinct ${columns} as it
      from package_vulnerability pv
        join sbom_package sp on sp.package_id = pv.package_id
        join scope s on s.id = sp.sbom_id ${joined}
      where pv.vulnerability_id = u.id limit 1000
    ) one
  ), '[]')`;

export async function listVulnerabilities(
  db: Db,
  bucketId: string,
  channels: readonly PointedChannel[],
  filter: VulnerabilityFilter,
  ask: PageAsked<'identifier'>,
): Promise<PageOf<VulnerabilityImpact>> {
  const page = pageClauses(ask, ['u.id'], sql`${ask.from?.id}::text`);
  const { rows } = await sql<VulnerabilityImpact>`
    with ${bucketScope(bucketId)}, ${pointedAt(channels)},
    found as (
      select pv.vulnerability_id, min(pv.fixed_version) as fixed_version, min(pv.first_seen_at) as first_seen_at
      from package_vulnerability pv
      where pv.package_id in (select sp.package_id from scope s join sbom_package sp on sp.sbom_id = s.id)
      group by pv.vulnerability_id
    )
    select ${vulnerability} as vulnerability,
      ${some(sql`jsonb_build_object('id', s.build_id, 'name', s.source)`, sql``)} as builds,
      ${some(sql`jsonb_build_object('id', c.id, 'name', c.name)`, sql`join pointed c on c.version_id = s.version_id`)} as channels,
      ${some(sql`jsonb_build_object('name', p.name, 'version', p.version, 'purl', p.purl)`, sql`join package p on p.id = pv.package_id`)} as packages
    from found pv join vulnerability u on u.id = pv.vulnerability_id
    where ${vulnerabilityMatches(filter)} and ${page.where}
    ${page.order}`.execute(db);
  return toPage(rows, ask, (row) => row.vulnerability.identifier);
}

/** From the worst on. */
const rank = sql`array_position(array['critical', 'high', 'medium', 'low', 'unknown'], u.criticality)`;

export async function summarise(
  db: Db,
  bucketId: string,
  channels: readonly PointedChannel[],
): Promise<VulnerabilitySummary> {
  const hits = sql`
    ${bucketScope(bucketId)}, ${pointedAt(channels)},
    hit as (
      select distinct pv.package_id, pv.vulnerability_id, pv.first_seen_at, s.version_id
      from scope s join sbom_package sp on sp.sbom_id = s.id join package_vulnerability pv on pv.package_id = sp.package_id
    )`;
  const { rows: total } = await sql<VulnerabilitySummary['total'][number]>`
    with ${hits}
    select u.criticality, count(*)::integer as count, min(h.first_seen_at) as "firstSeenAt",
      (avg(extract(epoch from clock_timestamp() - h.first_seen_at)) / 86400)::double precision as "averageAgeDays"
    from (select vulnerability_id, min(first_seen_at) as first_seen_at from hit group by vulnerability_id) h
      join vulnerability u on u.id = h.vulnerability_id
    group by u.criticality order by ${rank}`.execute(db);
  const { rows: packages } = await sql<VulnerabilitySummary['packages'][number]>`
    with ${hits}
    select p.name, p.version, p.purl, u.criticality, count(distinct u.id)::integer as count
    from hit h join package p on p.id = h.package_id join vulnerability u on u.id = h.vulnerability_id
    group by p.id, u.criticality
    order by ${rank}, count desc, p.name, p.version, p.id limit 1000`.execute(db);
  const { rows: byChannel } = await sql<VulnerabilitySummary['channels'][number]>`
    with ${hits}
    select jsonb_build_object('id', c.id, 'name', c.name) as channel, u.criticality, count(distinct u.id)::integer as count
    from hit h join pointed c on c.version_id = h.version_id join vulnerability u on u.id = h.vulnerability_id
    group by c.id, c.name, u.criticality
    order by c.name, ${rank}`.execute(db);
  return { total, packages, channels: byChannel };
}
