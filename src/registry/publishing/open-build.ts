import { ulid } from 'ulid';
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { Publishing } from '../contract/publishing.ts';
import { changeBuild } from './change-build.ts';
import { completeWhenDone } from './complete-when-done.ts';
import { findVersionId } from '../views/find.ts';
import { holdVersion } from './hold-version.ts';
import { refuseTooManyBuilds } from './limits.ts';
import { findParent, recordParent } from './parent.ts';
import { refuseUnpinned, takenFrom } from './own-bake.ts';
import { selectBuilds } from './settle.ts';

/** Answers the build's id. */
export async function openBuild(tx: Tx, input: Parameters<Publishing['openBuild']>[0]): Promise<string> {
  const { project, bucket, fingerprint, componentType, by } = input;
  const versionId = await findVersionId(tx, project, bucket, fingerprint);
  const parent = await findParent(tx, input);
  const version = await holdVersion(tx, versionId, fingerprint, parent?.id, by);
  const fields = takenFrom(version, input.fields);
  if (parent !== undefined) await refuseUnpinned(tx, version, parent);
  const find = () => selectBuilds(tx, versionId).where('source', '=', componentType).executeTakeFirst();
  const known = await find();
  if (version.state !== 'running' || known?.state === 'done') {
    const named = `version "${version.fingerprint}" of bucket "${version.bucket}"`;
    throw known === undefined
      ? new Failure('illegal_state', `${named} is ${version.state}: no build is added to it any more.`)
      : new Failure('already_exists', `The build of ${componentType} already exists in ${named}.`);
  }
  const now = await clock(tx);
  if (known === undefined) {
    await tx
      .insertInto('build')
      .values({
        id: ulid(),
        version_id: versionId,
        source: componentType,
        // One that is told when it is over has run.
        state: fields.state === 'done' ? 'running' : 'pending',
        packer_run_uuid: fields.packerRunUuid ?? null,
        created_at: now,
        updated_at: now,
      })
      .execute();
    await refuseTooManyBuilds(tx, version);
  }
  const build = known ?? (await find());
  if (build === undefined) throw new Failure('internal', `build of ${componentType} was not written`);
  if (parent !== undefined) await recordParent(tx, version, parent, fields.parent?.channelId);
  await changeBuild(tx, version, build, fields, { by, now, opened: known === undefined });
  await completeWhenDone(tx, version, fields.state, by);
  return build.id;
}
