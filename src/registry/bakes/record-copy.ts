import { ulid } from 'ulid';
import { system } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { targetKey } from '../../domain/target.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { CopyRecord } from '../contract/bakes.ts';
import { record } from '../record.ts';
import { loadStandings } from '../status.ts';
import { artifactNotFound } from './artifacts.ts';
import { type LockedVersion, lockVersion } from './lock-version.ts';
import { requestGoneOn } from './request-gone-on.ts';

/**
 * Under the bucket's lock, so that it is decided whether a revocation or the copy came first: a revoked version takes no copy, and a
 * copy that is recorded before is among the images that the revocation disables. The end of the release is decided by the same lock: from
 * then on its copy is nobody's, and may be taken away.
 */
export async function recordCopy(tx: Tx, { copiedFrom, image }: CopyRecord): Promise<string> {
  const original = await tx
    .selectFrom('artifact')
    .select(['build_id', 'version_id'])
    .where('id', '=', copiedFrom)
    .executeTakeFirst();
  if (original === undefined) throw artifactNotFound(copiedFrom);
  const version = await lockVersion(tx, original.version_id);
  const { target, imageId } = image;
  const there = await tx
    .selectFrom('artifact')
    .select(['id', 'image_id'])
    .where('build_id', '=', original.build_id)
    .where('provider', '=', target.provider)
    .where('account', '=', target.account)
    .where('region', '=', target.region)
    .executeTakeFirst();
  if (there?.image_id === imageId) return there.id;
  const what = `${version.bucket} ${version.fingerprint}`;
  if (there !== undefined) {
    throw new Failure(
      'conflict',
      `${what} has the image ${there.image_id} in ${targetKey(target)} already; ${imageId} is not recorded: sweep it`,
    );
  }
  await refuseEnded(tx, version, what);
  const now = await clock(tx);
  await refuseUnusable(tx, version, what, now);
  const id = ulid();
  await tx
    .insertInto('artifact')
    .values({
      id,
      build_id: original.build_id,
      version_id: original.version_id,
      ...target,
      image_id: imageId,
      digest: image.digest ?? null,
      size_bytes: image.sizeBytes ?? null,
      copied_from: copiedFrom,
      created_at: now,
    })
    .execute();
  await record(tx, {
    kind: 'artifact.copied',
    project: version.project,
    bucket: version.bucket,
    versionId: version.id,
    subjectId: id,
    data: { copiedFrom, place: targetKey(target), imageId },
    by: system('release'),
    at: now,
  });
  return id;
}

async function refuseEnded(tx: Tx, version: LockedVersion, what: string): Promise<void> {
  const gone = await requestGoneOn(tx, version);
  if (gone === undefined) return;
  throw new Failure(
    'conflict',
    `the release that copied ${what} has ended (${gone}); the copy is taken away: release the line again`,
  );
}

async function refuseUnusable(
  tx: Tx,
  { id, state }: { readonly id: string; readonly state: string },
  what: string,
  now: string,
): Promise<void> {
  if (state !== 'complete') {
    throw new Failure('illegal_state', `${what} is ${state}: only a complete version is copied`);
  }
  const status = (await loadStandings(tx, [id], now)).get(id)?.status;
  if (status?.state === 'revoked') {
    throw new Failure(
      'illegal_state',
      `${what} was revoked (${status.reason ?? 'no reason given'}) while it was copied: restore it, then release it again`,
    );
  }
}
