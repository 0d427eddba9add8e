import { sql } from 'kysely';
import { prepare } from '../../store/prepared.ts';
import type { Store } from '../../store/store.ts';
import type { BuildView, Views } from '../contract/views.ts';
import { missing } from './missing.ts';
import { buildJson } from './version-rows.ts';

interface Row {
  readonly versionId: string | null;
  readonly builds: readonly BuildView[];
}

/** Builds of a version by source, or the one of an id; `wanted` is empty for all. */
const query = sql<Row>`
  select v.id as "versionId", coalesce((
    select json_agg(${buildJson(true)} order by bu.source)
    from build bu
    where bu.version_id = v.id and bu.deleted_at is null and (${'wanted'}::text = '' or bu.id = ${'wanted'}::text)
  ), '[]') as builds
  from project p
    join bucket b on b.project_id = p.id and b.name = ${'bucket'} and b.deleted_at is null
    left join version v on v.bucket_id = b.id and v.fingerprint = ${'fingerprint'} and v.deleted_at is null
  where p.name = ${'project'}`;

/** One query that is planned once: every call of a run of Packer is answered with a build. */
export function buildReaders(store: Store): Pick<Views, 'builds' | 'build'> {
  const read = prepare(store, 'hcp_builds', query);
  const find = async (project: string, bucket: string, fingerprint: string, wanted: string) => {
    const [row] = await read({ project, bucket, fingerprint, wanted });
    if (row === undefined) throw missing('bucket', bucket);
    if (row.versionId === null) throw missing('version', fingerprint);
    return row.builds;
  };
  return {
    builds: (project, bucket, fingerprint) => find(project, bucket, fingerprint, ''),
    async build(project, bucket, fingerprint, buildId) {
      const [found] = await find(project, bucket, fingerprint, buildId);
      if (found === undefined) throw missing('build', buildId);
      return found;
    },
  };
}
