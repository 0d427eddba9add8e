import { sql } from 'kysely';
import type { RevocationStatus } from '../../domain/revocation.ts';
import type { TemplateType, VersionState } from '../../domain/version.ts';
import type { BuildView, RevocationView, VersionView } from '../contract/views.ts';
import { givenFingerprint } from '../fingerprint.ts';
import { versionName } from '../lookup.ts';
import { iso, type RecordFact, standingFacts, standingOf, type StandingFacts } from '../status.ts';
import { relationChannel, type Relation } from './ancestry-states.ts';

export interface VersionRow extends StandingFacts {
  readonly id: string;
  readonly bucketId: string;
  readonly bucket: string;
  readonly fingerprint: string;
  readonly number: number | null;
  readonly state: VersionState;
  readonly templateType: TemplateType | null;
  readonly author: string;
  readonly builds: readonly BuildView[];
  readonly hasDescendants: boolean;
  readonly relations: readonly Relation[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What Packer calls the clouds, where only our own bake says which one it was. */
const platform = sql`coalesce(bu.platform, (
  select case a.provider when 'gcp' then 'gce' else a.provider end from artifact a where a.build_id = bu.id order by a.id limit 1
))`;

const artifacts = sql`artifact a where a.build_id = bu.id`;

/**
 * A build of a query that calls it `bu`, as a `BuildView`. Metadata is long, and most readers are not shown it. `most`: of its artifacts.
 */
export const buildJson = (metadata: boolean, most: number | null = null) => sql`json_build_object(
  'id', bu.id, 'versionId', bu.version_id, 'componentType', bu.source, 'packerRunUuid', bu.packer_run_uuid, 'platform', ${platform},
  'state', bu.state, 'labels', bu.labels, 'sourceExternalIdentifier', bu.source_external_identifier,
  'metadata', ${metadata ? sql`bu.metadata` : sql`null`}, 'createdAt', ${iso('bu.created_at')}, 'updatedAt', ${iso('bu.updated_at')},
  'artifacts', case when bu.state = 'done' then coalesce((
    select json_agg(json_build_object(
      'id', a.id, 'externalIdentifier', a.image_id, 'region', a.region, 'createdAt', ${iso('a.created_at')}
    ) order by a.id)
    from ${most === null ? artifacts : sql`(select * from ${artifacts} order by a.id limit ${most}) a`}
  ), '[]') else '[]' end
)`;

/** The columns of a `VersionRow`, for a query that calls the version `v` and its bucket `b`. */
export const versionColumns = (metadata: boolean, most: number | null = null) => sql`
  v.id, b.id as "bucketId", b.name as bucket, ${givenFingerprint('v.fingerprint')} as fingerprint, v.number, v.state, v.actor ->> 'name' as author,
  coalesce(v.template_type, case
      when v.template ->> 'entry' like '%.json' and v.template ->> 'entry' not like '%.pkr.json' then 'JSON'
      when v.template is not null then 'HCL2'
    end)
    as "templateType",
  coalesce((
    select json_agg(${buildJson(metadata, most)} order by bu.source) from build bu where bu.version_id = v.id and bu.deleted_at is null
  ), '[]') as builds,
  exists (
    select from ancestry an join version child on child.id = an.child_version_id
    where an.parent_version_id = v.id and child.state = 'complete' and child.deleted_at is null
  ) as "hasDescendants",
  coalesce((
    select json_agg(json_build_object('parentVersionId', an.parent_version_id, 'channel', ${relationChannel}) order by an.position)
    from ancestry an where an.child_version_id = v.id
  ), '[]') as relations,
  ${standingFacts}, ${iso('v.created_at')} as "createdAt",
  coalesce(${iso('v.updated_at')}, ${iso('v.completed_at')}, ${iso('v.created_at')}) as "updatedAt"`;

export function toVersionView(row: VersionRow, parents: VersionView['parents'], now: string): VersionView {
  return {
    id: row.id,
    bucketId: row.bucketId,
    bucket: row.bucket,
    fingerprint: row.fingerprint,
    name: versionName(row.number),
    state: row.state,
    templateType: row.templateType,
    author: row.author,
    builds: row.builds,
    hasDescendants: row.hasDescendants,
    parents,
    revocation: revocationOf(standingOf(row, now).status, row.records),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

function revocationOf(status: RevocationStatus, records: readonly RecordFact[]): RevocationView | null {
  const record = records.find(({ id }) => id === status.recordId);
  if (status.state === 'none' || status.at === null || record === undefined) return null;
  const from = record.inheritedFrom;
  return {
    state: status.state,
    at: status.at,
    reason: record.reason,
    author: record.author,
    type: record.kind === 'inherited' ? 'inherited' : 'manual',
    inheritedFrom:
      from === null
        ? null
        : {
            bucket: from.bucket,
            versionId: from.versionId,
            versionName: from.versionName,
            fingerprint: record.rootFingerprint ?? '',
          },
  };
}
