import { isDeepStrictEqual } from 'node:util';
import type { Actor } from '../../domain/actor.ts';
import { mayEnter } from '../../domain/build-change.ts';
import { Failure } from '../../domain/failure.ts';
import type { EventKind } from '../../domain/events.ts';
import type { BuildState } from '../../domain/version.ts';
import type { Tx } from '../../store/store.ts';
import type { BuildFields } from '../contract/publishing.ts';
import { wakeExpiry } from '../heartbeats/wake.ts';
import { record } from '../record.ts';
import { isSameArtifacts, replaceArtifacts } from './artifacts.ts';
import type { HeldVersion } from './hold-version.ts';
import { refuseTooManyArtifacts, refuseTooMuchToTell } from './limits.ts';
import { toldBefore } from './own-bake.ts';
import { type BuildRow, type Settled, settle } from './settle.ts';

const kinds: Readonly<Record<BuildState, EventKind>> = {
  pending: 'build.changed',
  running: 'build.started',
  done: 'build.done',
  failed: 'build.failed',
  cancelled: 'build.cancelled',
};

/** Applies what was told to a build of a version whose locks are held. Answers whether anything was changed. */
export async function changeBuild(
  tx: Tx,
  version: HeldVersion,
  build: BuildRow,
  fields: BuildFields,
  { by, now, opened }: { readonly by: Actor; readonly now: string; readonly opened: boolean },
): Promise<boolean> {
  const state = fields.state ?? build.state;
  if (build.state === 'done') await refuseOther(tx, version, build, fields, state);
  if (build.state === 'done') return false;
  const enters = state !== build.state;
  if (enters && !mayEnter(standingOf(build), state, fields.packerRunUuid))
    throw refused(version, build, state);
  const settled = settle(toldBefore(version, build, fields), fields);
  const starts = enters && state === 'running';
  const told = fields.artifacts ?? [];
  // A run that begins anew has made nothing yet; of our own bakes the workflow records what was made.
  if ((starts && !version.isOurs) || told.length > 0) {
    const of = { id: build.id, versionId: version.id, platform: settled.platform };
    await replaceArtifacts(tx, of, told, version, now);
    await refuseTooManyArtifacts(tx, version, build.id);
  }
  // Our own bakes have a time limit, and a supervisor that keeps it: their silence means nothing.
  const heard = state === 'running' && !version.isOurs ? { heartbeat_at: now } : {};
  const run =
    fields.packerRunUuid !== undefined && (state === 'running' || build.packer_run_uuid === null)
      ? { packer_run_uuid: fields.packerRunUuid }
      : {};
  const changes = opened || enters || told.length > 0 || !isSettled(build, settled);
  await tx
    .updateTable('build')
    .set({
      ...settled,
      labels: JSON.stringify(settled.labels),
      metadata: settled.metadata === null ? null : JSON.stringify(settled.metadata),
      ...heard,
      ...run,
      ...(fields.state === undefined ? {} : { state, expired_at: null }),
      ...(changes ? { updated_at: now } : {}),
    })
    .where('id', '=', build.id)
    .execute();
  if (fields.labels !== undefined || fields.metadata !== undefined) await refuseTooMuchToTell(tx, version);
  if (!changes) return false;
  await tx.updateTable('version').set({ updated_at: now }).where('id', '=', version.id).execute();
  const event = {
    kind: opened ? 'build.opened' : enters ? kinds[state] : 'build.changed',
    project: version.project,
    bucket: version.bucket,
    versionId: version.id,
    subjectId: build.id,
    data: {
      fingerprint: version.fingerprint,
      source: build.source,
      state,
      ...(fields.packerRunUuid === undefined ? {} : { packerRunUuid: fields.packerRunUuid }),
      ...(fields.parent === undefined ? {} : { parent: fields.parent.versionId }),
      ...(state === 'done' ? { images: told.length } : {}),
    },
    by,
    at: now,
  };
  const runs = state === 'running' && (enters || opened) && !version.isOurs;
  await record(tx, event, runs ? [wakeExpiry(version.project, version.id)] : []);
  return true;
}

const standingOf = ({ state, expired_at, packer_run_uuid }: BuildRow) => ({
  state,
  expired: expired_at !== null,
  packerRunUuid: packer_run_uuid,
});

const isSettled = (build: BuildRow, settled: Settled): boolean =>
  Object.entries(settled).every(([field, value]) => isDeepStrictEqual(Reflect.get(build, field), value));

/** A reply that was lost is asked for again; whoever then says that the build failed does not undo a version. */
async function refuseOther(
  tx: Tx,
  version: HeldVersion,
  build: BuildRow,
  fields: BuildFields,
  state: BuildState,
): Promise<void> {
  const isRepeat =
    state === 'done' &&
    (fields.artifacts === undefined || (await isSameArtifacts(tx, build.id, fields.artifacts)));
  if (!isRepeat) throw refused(version, build, state);
  if (!isSettled(build, settle(build, fields))) throw refused(version, build, state);
}

function refused({ bucket, fingerprint }: HeldVersion, build: BuildRow, state: BuildState): Failure {
  const named = `Build ${build.id} (${build.source}) of version "${fingerprint}" of bucket "${bucket}"`;
  if (build.state === 'done') {
    return new Failure('illegal_state', `${named} is done: nothing of it changes any more.`);
  }
  const remedy = state === 'done' ? ' Start it first.' : '';
  return new Failure('illegal_state', `${named} is ${build.state} and cannot become ${state}.${remedy}`);
}
