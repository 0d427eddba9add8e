import { sql } from 'kysely';
import type { Db, Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { BuildFields, Publishing } from '../contract/publishing.ts';
import { changeBuild } from './change-build.ts';
import { completeWhenDone } from './complete-when-done.ts';
import { findVersionId } from '../views/find.ts';
import { missing } from '../views/missing.ts';
import { holdVersion } from './hold-version.ts';
import { findParent, recordParent } from './parent.ts';
import { refuseUnpinned, takenFrom } from './own-bake.ts';
import { selectBuilds } from './settle.ts';

type Update = Parameters<Publishing['updateBuild']>[0];

export async function updateBuild(tx: Tx, input: Update): Promise<void> {
  const { project, bucket, fingerprint, buildId, by } = input;
  const versionId = await findVersionId(tx, project, bucket, fingerprint);
  const parent = await findParent(tx, input);
  const version = await holdVersion(tx, versionId, fingerprint, parent?.id, by);
  const fields = takenFrom(version, input.fields);
  if (parent !== undefined) await refuseUnpinned(tx, version, parent);
  const build = await selectBuilds(tx, versionId).where('id', '=', buildId).executeTakeFirst();
  if (build === undefined) throw missing('build', buildId);
  const now = await clock(tx);
  const changed = await changeBuild(tx, version, build, fields, { by, now, opened: false });
  if (!changed) return;
  if (parent !== undefined) await recordParent(tx, version, parent, fields.parent?.channelId);
  await completeWhenDone(tx, version, fields.state, by);
}

/**
 * One statement without the bucket's lock, because hundreds of runs say it every two minutes. False: it is more than a heartbeat, or of a
 * build that does not run.
 */
export async function heartbeat(db: Db, input: Update): Promise<boolean> {
  const { project, bucket, fingerprint, buildId, fields } = input;
  if (!saysOnlyThatItRuns(fields)) return false;
  const { rows } = await sql`
    update build b set heartbeat_at = clock_timestamp()
    from version v join bucket k on k.id = v.bucket_id join project p on p.id = k.project_id
    where b.id = ${buildId} and b.state = 'running' and b.deleted_at is null and v.id = b.version_id
      and (${fields.packerRunUuid ?? null}::text is null or b.packer_run_uuid = ${fields.packerRunUuid ?? null})
      and v.fingerprint = ${fingerprint} and v.deleted_at is null and v.request_id is null
      and k.name = ${bucket} and k.deleted_at is null and p.name = ${project}
    returning b.id`.execute(db);
  return rows.length === 1;
}

const saysOnlyThatItRuns = (fields: BuildFields): boolean =>
  fields.state === 'running' &&
  Object.keys(fields).every((field) => field === 'state' || field === 'packerRunUuid');
