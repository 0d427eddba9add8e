import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { PackageFilter, VulnerabilityFilter } from '../contract/packages.ts';

/** `scope`: the SBOMs of a bucket with their builds and versions. */
export const bucketScope = (bucketId: string) => sql`
  scope as (
    select s.id, s.name, s.format, bu.id as build_id, bu.source, v.id as version_id
    from version v
      join build bu on bu.version_id = v.id and bu.deleted_at is null
      join sbom s on s.build_id = bu.id
    where v.bucket_id = ${bucketId} and v.deleted_at is null
  )`;

export const buildScope = (buildId: string) => sql`
  scope as (select s.id, s.name, s.format from sbom s where s.build_id = ${buildId})`;

export const all = (conditions: readonly RawBuilder<unknown>[]) =>
  conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `);

/** On `package p`. */
export const packageMatches = ({ name, nameStartsWith, version }: PackageFilter) =>
  all([
    ...(name === undefined ? [] : [sql`p.name = ${name}`]),
    ...(nameStartsWith === undefined ? [] : [sql`starts_with(p.name, ${nameStartsWith})`]),
    ...(version === undefined ? [] : [sql`p.version = ${version}`]),
  ]);

/** On `vulnerability u`. */
export const vulnerabilityMatches = ({
  criticalities,
  identifier,
  identifierStartsWith,
}: VulnerabilityFilter) =>
  all([
    ...(criticalities.length === 0 ? [] : [sql`u.criticality = any(${criticalities}::text[])`]),
    ...(identifier === undefined
      ? []
      : [sql`(u.id = ${identifier} or u.aliases @> array[${identifier}]::text[])`]),
    ...(identifierStartsWith === undefined
      ? []
      : [
          sql`(starts_with(u.id, ${identifierStartsWith}) or exists (
            select from unnest(u.aliases) as alias where starts_with(alias, ${identifierStartsWith})
          ))`,
        ]),
  ]);

/** What the SBOMs of the scope that name package `p` are, as JSON. */
export const sbomsOfPackage = sql`
  coalesce((
    select jsonb_agg(jsonb_build_object('id', named.id, 'name', named.name, 'format', named.format) order by named.id desc)
    from (
      select s.id, s.name, s.format from sbom_package sp join scope s on s.id = sp.sbom_id
      where sp.package_id = p.id order by s.id desc limit 100
    ) named
  ), '[]')`;
