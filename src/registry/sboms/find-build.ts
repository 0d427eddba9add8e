import { sql } from 'kysely';
import { Failure } from '../../domain/failure.ts';
import type { BuildState } from '../../domain/version.ts';
import type { Db } from '../../store/store.ts';
import type { BuildAddress } from '../contract/sboms.ts';
import { findVersionId } from '../views/find.ts';
import { missing } from '../views/missing.ts';

/** Not among the deleted ones. */
export async function findBuild(
  db: Db,
  { project, bucket, fingerprint, buildId }: BuildAddress,
): Promise<{ readonly versionId: string; readonly state: BuildState }> {
  const versionId = await findVersionId(db, project, bucket, fingerprint);
  const { rows } = await sql<{ readonly state: BuildState }>`
    select state from build where id = ${buildId} and version_id = ${versionId} and deleted_at is null`.execute(
    db,
  );
  const [found] = rows;
  if (found === undefined) throw missing('build', buildId);
  return { versionId, state: found.state };
}

export async function findRunningBuild(db: Db, at: BuildAddress): Promise<void> {
  const { state } = await findBuild(db, at);
  if (state !== 'running') throw new Failure('invalid_input', "This build's status isn't Running");
}
