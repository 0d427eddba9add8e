import { ulid } from 'ulid';
import { Failure } from '../../domain/failure.ts';
import { targetKey } from '../../domain/target.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { BuildRecord } from '../contract/bakes.ts';
import { currentOf, loadAttempt } from './attempts.ts';
import { lockVersion } from './lock-version.ts';

/** Answers the version's id. */
export async function recordBuilds(
  tx: Tx,
  attemptId: string,
  builds: readonly BuildRecord[],
): Promise<string> {
  const { versionId } = await loadAttempt(tx, attemptId);
  const { bucket } = await lockVersion(tx, versionId);
  if (!(await currentOf(tx, [attemptId])).has(attemptId)) {
    throw new Failure(
      'conflict',
      `The builds of attempt ${attemptId} are not recorded: it is no longer current for version ${versionId} of bucket "${bucket}". What it made is to be swept.`,
    );
  }
  const now = await clock(tx);
  for (const build of builds) await recordBuild(tx, versionId, build, now);
  return versionId;
}

async function recordBuild(tx: Tx, versionId: string, build: BuildRecord, now: string): Promise<void> {
  const known = await tx
    .selectFrom('build')
    .select(['id', 'state'])
    .where('version_id', '=', versionId)
    .where('source', '=', build.source)
    .executeTakeFirst();
  // Done is final: its images are what the version is.
  if (known?.state === 'done') return refuseOtherImages(tx, known.id, build);
  const buildId = known?.id ?? ulid();
  const failure = build.failure === undefined ? null : JSON.stringify(build.failure);
  await tx
    .insertInto('build')
    .values({
      id: buildId,
      version_id: versionId,
      source: build.source,
      state: build.state,
      failure,
      created_at: now,
      updated_at: now,
    })
    .onConflict((on) => on.column('id').doUpdateSet({ state: build.state, failure, updated_at: now }))
    .execute();
  if (build.images.length === 0) return;
  await tx
    .insertInto('artifact')
    .values(
      build.images.map(({ target, imageId, digest, sizeBytes, secretScan }) => ({
        id: ulid(),
        build_id: buildId,
        version_id: versionId,
        ...target,
        image_id: imageId,
        digest: digest ?? null,
        size_bytes: sizeBytes ?? null,
        secret_scan: secretScan === undefined ? null : JSON.stringify(secretScan),
        created_at: now,
      })),
    )
    .onConflict((on) => on.columns(['build_id', 'provider', 'account', 'region', 'image_id']).doNothing())
    .execute();
}

async function refuseOtherImages(tx: Tx, buildId: string, build: BuildRecord): Promise<void> {
  const rows = await tx
    .selectFrom('artifact')
    .select(['provider', 'account', 'region', 'image_id'])
    .where('build_id', '=', buildId)
    .execute();
  const known = new Set(rows.map((row) => `${targetKey(row)}/${row.image_id}`));
  const other = build.images.find((image) => !known.has(`${targetKey(image.target)}/${image.imageId}`));
  if (other === undefined) return;
  throw new Failure(
    'conflict',
    `Build ${build.source} is done and has its images already: ${[...known].join(', ') || 'none'}; ${other.imageId} is not one of them. Sweep it.`,
  );
}
