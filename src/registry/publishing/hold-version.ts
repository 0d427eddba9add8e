import type { Actor } from '../../domain/actor.ts';
import type { ImageLine } from '../../domain/image-line.ts';
import type { VersionState } from '../../domain/version.ts';
import type { Tx } from '../../store/store.ts';
import { lockWithParents } from '../bakes/lock-with-parents.ts';
import { missing } from '../views/missing.ts';
import { refuseOthers } from './refuse-others.ts';

/** A version whose builds are about to change, as it is under its locks. */
export interface HeldVersion {
  readonly id: string;
  readonly bucketId: string;
  readonly project: string;
  readonly bucket: string;
  readonly fingerprint: string;
  readonly state: VersionState;
  readonly requestId: string | null;
  readonly line: ImageLine | null;
  /** Locked with it: those that its ancestry names, and the one it is about to be given. */
  readonly parents: readonly string[];
  /** The caller is the Packer of a bake of ours, which makes it. */
  readonly isOurs: boolean;
}

/** Locks it with the parents that it has, and one that it is about to be given. */
export async function holdVersion(
  tx: Tx,
  versionId: string,
  fingerprint: string,
  parentId: string | undefined,
  by: Actor,
): Promise<HeldVersion> {
  const parents = await lockWithParents(tx, versionId, parentId === undefined ? [] : [parentId]);
  const row = await tx
    .selectFrom('version')
    .innerJoin('bucket', 'bucket.id', 'version.bucket_id')
    .innerJoin('project', 'project.id', 'bucket.project_id')
    .where('version.id', '=', versionId)
    .where('version.deleted_at', 'is', null)
    .where('bucket.deleted_at', 'is', null)
    .select(['version.id', 'bucket.id as bucketId', 'project.name as project', 'bucket.name as bucket'])
    .select(['version.fingerprint', 'version.state', 'version.request_id as requestId', 'bucket.line'])
    .executeTakeFirst();
  if (row === undefined) throw missing('version', fingerprint);
  await refuseOthers(tx, row, by);
  return { ...row, parents, isOurs: row.requestId !== null };
}
