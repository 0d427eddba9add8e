import { sql } from 'kysely';
import { prepare } from '../../store/prepared.ts';
import type { Store } from '../../store/store.ts';
import type { Views } from '../contract/views.ts';
import { toVersionViews } from './load-versions.ts';
import { missing } from './missing.ts';
import { versionColumns, type VersionRow } from './version-rows.ts';

interface Row {
  readonly now: string;
  readonly version: VersionRow | null;
}

const query = sql<Row>`
  select date_trunc('milliseconds', clock_timestamp()) as now,
    (select to_json(found) from (select ${versionColumns(true)} where v.id is not null) found) as version
  from project p
    join bucket b on b.project_id = p.id and b.name = ${'bucket'} and b.deleted_at is null
    left join version v on v.bucket_id = b.id and v.fingerprint = ${'fingerprint'} and v.deleted_at is null
  where p.name = ${'project'}`;

/** A version in one query that is planned once. */
export function versionReader(store: Store): Views['version'] {
  const read = prepare(store, 'hcp_version', query);
  return async (project, bucket, fingerprint, sights) => {
    const [row] = await read({ project, bucket, fingerprint });
    if (row === undefined) throw missing('bucket', bucket);
    if (row.version === null) throw missing('version', fingerprint);
    const view = (await toVersionViews(store.db, [row.version], sights, row.now)).get(row.version.id);
    if (view === undefined) throw missing('version', fingerprint);
    return view;
  };
}
