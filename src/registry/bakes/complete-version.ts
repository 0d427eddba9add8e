import { ulid } from 'ulid';
import type { Actor } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { ImageLine } from '../../domain/image-line.ts';
import { toInstant } from '../../domain/instant.ts';
import { latestChannel } from '../../domain/names.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { appendAssignment, findChannel } from '../channels/rows.ts';
import { inheritFromParents } from '../inherit.ts';
import { versionName } from '../lookup.ts';
import { materialiseTouched } from '../materialise.ts';
import { wakeIfShared } from '../enforcement/wake-sharers.ts';
import { record } from '../record.ts';
import { adopt } from '../requests/adopt.ts';
import { scheduleEndOfLife } from '../revocations/end-of-life.ts';
import type { LockedVersion } from './lock-version.ts';
import { readVersion } from './lock-version.ts';
import { lockWithParents } from './lock-with-parents.ts';
import { requestGoneOn } from './request-gone-on.ts';

/** `held`: its parents, where the caller has locked it with them. */
export async function completeVersion(
  tx: Tx,
  versionId: string,
  by: Actor,
  held?: readonly string[],
): Promise<void> {
  const parents = held ?? (await lockWithParents(tx, versionId));
  const version = await readVersion(tx, versionId);
  if (version.state === 'complete') return;
  if (version.requestId !== null) await leaveOutUnasked(tx, versionId, await clock(tx));
  await checkCompletable(tx, version);
  await materialiseTouched(tx, [versionId, ...parents]);

  const now = await clock(tx);
  const number = await takeNumber(tx, version, now);
  const name = versionName(number);
  await assignLatest(tx, version, name, by, now);
  const completed = {
    kind: 'version.completed',
    project: version.project,
    bucket: version.bucket,
    versionId,
    subjectId: version.requestId,
    data: { version: name, fingerprint: version.fingerprint, channel: latestChannel },
    by,
    at: now,
  } as const;
  await record(tx, completed, await wakeIfShared(tx, version));
  const line =
    version.requestId === null ? await adopt(tx, version, by, now) : await pinnedLine(tx, version.requestId);
  if (line !== undefined) await startEndOfLife(tx, version, line, now);
  await inheritFromParents(tx, versionId);
}

/** Packer names all sources of the template, also those that its line does not bake. */
async function leaveOutUnasked(tx: Tx, versionId: string, now: string): Promise<void> {
  await tx
    .updateTable('build')
    .set({ deleted_at: now })
    .where('version_id', '=', versionId)
    .where('state', '=', 'pending')
    .where('deleted_at', 'is', null)
    .execute();
}

async function checkCompletable(tx: Tx, version: LockedVersion): Promise<void> {
  const { id, bucket, state } = version;
  const named = `Version ${id} of bucket "${bucket}"`;
  if (state !== 'running') {
    throw new Failure(
      'illegal_state',
      `${named} is ${state} and cannot be completed. Ask for its request again.`,
    );
  }
  const builds = await tx
    .selectFrom('build')
    .select(['source', 'state'])
    .where('version_id', '=', id)
    .where('deleted_at', 'is', null)
    .execute();
  const open = builds.filter((build) => build.state !== 'done');
  if (builds.length === 0 || open.length > 0) {
    const why = open.map((build) => `${build.source} is ${build.state}`).join(', ') || 'it has no build yet';
    throw new Failure('illegal_state', `${named} cannot be completed: ${why}. Every build must be done.`);
  }
  const gone = await requestGoneOn(tx, version);
  if (gone === undefined) return;
  throw new Failure('conflict', `${named} cannot be completed: its ${gone}. Cancel the version.`);
}

/** Dense, and never given twice: the counter stays when a version is deleted. */
async function takeNumber(tx: Tx, version: LockedVersion, now: string): Promise<number> {
  const { taken } = await tx
    .updateTable('bucket')
    .set((one) => ({ next_number: one('next_number', '+', 1), updated_at: now }))
    .where('id', '=', version.bucketId)
    .returning((one) => one('next_number', '-', 1).as('taken'))
    .executeTakeFirstOrThrow();
  await tx
    .updateTable('version')
    .set({ state: 'complete', number: taken, completed_at: now, updated_at: now })
    .where('id', '=', version.id)
    .execute();
  return taken;
}

async function assignLatest(
  tx: Tx,
  version: LockedVersion,
  name: string,
  by: Actor,
  now: string,
): Promise<void> {
  const channel = await findChannel(tx, version.project, version.bucket, latestChannel);
  await appendAssignment(tx, {
    id: ulid(),
    channelId: channel.id,
    version: { id: version.id, name },
    cause: 'completed',
    reason: '',
    by,
    at: now,
  });
}

async function pinnedLine(tx: Tx, requestId: string): Promise<ImageLine> {
  const { pins } = await tx
    .selectFrom('request')
    .select('pins')
    .where('id', '=', requestId)
    .executeTakeFirstOrThrow();
  return pins.line;
}

/** By the line as accepted with the request: a change of it meanwhile touches later requests only. */
async function startEndOfLife(tx: Tx, version: LockedVersion, line: ImageLine, now: string): Promise<void> {
  const { endOfLifeMs: ageMs, endOfLifeCascades: cascades } = line;
  if (ageMs === undefined) return;
  const dueAt = toInstant(Date.parse(now) + ageMs);
  await scheduleEndOfLife(tx, { versionId: version.id, dueAt, ageMs, cascades, now });
}
