import { sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import type { BuildView } from '../contract/views.ts';
import { findVersionId } from './find.ts';
import { missing } from './missing.ts';
import { buildJson } from './version-rows.ts';

export async function loadBuildViews(
  db: Db,
  project: string,
  bucket: string,
  fingerprint: string,
): Promise<readonly BuildView[]> {
  const versionId = await findVersionId(db, project, bucket, fingerprint);
  const { rows } = await sql<{ readonly build: BuildView }>`
    select ${buildJson(true)} as build from build bu where bu.version_id = ${versionId} and bu.deleted_at is null order by bu.source`.execute(
    db,
  );
  return rows.map(({ build }) => build);
}

export async function loadBuildView(
  db: Db,
  project: string,
  bucket: string,
  fingerprint: string,
  buildId: string,
): Promise<BuildView> {
  const versionId = await findVersionId(db, project, bucket, fingerprint);
  const { rows } = await sql<{ readonly build: BuildView }>`
    select ${buildJson(true)} as build from build bu where bu.id = ${buildId} and bu.version_id = ${versionId} and bu.deleted_at is null`.execute(
    db,
  );
  const [found] = rows;
  if (found === undefined) throw missing('build', buildId);
  return found.build;
}
