import { ulid } from 'ulid';
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import { clock, lockBuckets } from '../../store/transaction.ts';
import type { Publishing } from '../contract/publishing.ts';
import { record } from '../record.ts';
import { findBucketId } from '../views/find.ts';
import { missing } from '../views/missing.ts';

const fingerprintShape = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,38}[A-Za-z0-9])?$/;

export async function openVersion(tx: Tx, input: Parameters<Publishing['openVersion']>[0]): Promise<void> {
  const { project, bucket, fingerprint, templateType, by } = input;
  if (!fingerprintShape.test(fingerprint)) {
    throw new Failure(
      'invalid_input',
      'fingerprint: write 1 to 40 letters, digits, ".", "_" or "-", with a letter or digit first and last',
    );
  }
  const bucketId = await findBucketId(tx, project, bucket);
  await lockBuckets(tx, [bucketId]);
  const at = await tx
    .selectFrom('bucket')
    .leftJoin('version', (on) =>
      on.onRef('version.bucket_id', '=', 'bucket.id').on('version.fingerprint', '=', fingerprint),
    )
    .where('bucket.id', '=', bucketId)
    .where('bucket.deleted_at', 'is', null)
    .select(['version.id', 'version.state', 'version.template_type as templateType'])
    .select(['version.request_id as requestId', 'version.deleted_at as deletedAt'])
    .executeTakeFirst();
  if (at === undefined) throw missing('bucket', bucket);
  if (at.id !== null) {
    const isRepeat =
      at.state === 'running' &&
      at.deletedAt === null &&
      at.requestId === null &&
      at.templateType === templateType;
    if (isRepeat) return;
    throw new Failure('already_exists', existing(bucket, fingerprint, at));
  }
  const now = await clock(tx);
  const id = ulid();
  await tx
    .insertInto('version')
    .values({
      id,
      bucket_id: bucketId,
      fingerprint,
      state: 'running',
      request_id: null,
      attempt: null,
      bake_id: null,
      template_type: templateType,
      actor: JSON.stringify(by),
      created_at: now,
    })
    .execute();
  await record(tx, {
    kind: 'version.opened',
    project,
    bucket,
    versionId: id,
    data: { fingerprint, templateType },
    by,
    at: now,
  });
}

function existing(
  bucket: string,
  fingerprint: string,
  at: { readonly state: string | null; readonly deletedAt: string | null; readonly requestId: string | null },
): string {
  const named = `The version with fingerprint "${fingerprint}" already exists in bucket "${bucket}"`;
  if (at.deletedAt !== null) return `${named}: it was deleted. Take another fingerprint.`;
  if (at.requestId !== null) return `${named}: it is a bake of Bakehouse. Take another fingerprint.`;
  if (at.state === 'complete') return `${named} and is complete. Take another fingerprint.`;
  return `${named} with another template type. Take another fingerprint, or go on with it by its own one.`;
}
