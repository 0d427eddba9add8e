/** Every reply that names a version carries all its builds with all their artifacts, and an act on each is proved apart. */
import { sql } from 'kysely';
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import type { HeldVersion } from './hold-version.ts';

const buildsOfVersion = 100;
const artifactsOfBuild = 200;
const artifactsOfVersion = 2_000;
/** Of labels and metadata, as JSON. */
const bytesOfVersion = 4 * 1024 * 1024;

/** Of a version whose locks are held, with the build that was just written. */
export async function refuseTooManyBuilds(tx: Tx, version: HeldVersion): Promise<void> {
  const { rows } = await sql<{ builds: number }>`
    select count(*)::int as builds from build where version_id = ${version.id} and deleted_at is null`.execute(
    tx,
  );
  if ((rows[0]?.builds ?? 0) > buildsOfVersion) throw beyond(version, `${buildsOfVersion} builds`);
}

/** With the artifacts that were just written. Those of deleted builds count: their images are enforced as the others are. */
export async function refuseTooManyArtifacts(tx: Tx, version: HeldVersion, buildId: string): Promise<void> {
  const { rows } = await sql<{ ofBuild: number; ofVersion: number }>`
    select count(*) filter (where build_id = ${buildId})::int as "ofBuild", count(*)::int as "ofVersion"
    from artifact where version_id = ${version.id}`.execute(tx);
  const { ofBuild = 0, ofVersion = 0 } = rows[0] ?? {};
  if (ofBuild > artifactsOfBuild) {
    throw new Failure(
      'illegal_state',
      `Build ${buildId} has more than ${artifactsOfBuild} artifacts. ${remedy}`,
    );
  }
  if (ofVersion > artifactsOfVersion) throw beyond(version, `${artifactsOfVersion} artifacts`);
}

/** With the labels and metadata that were just written. */
export async function refuseTooMuchToTell(tx: Tx, version: HeldVersion): Promise<void> {
  const { rows } = await sql<{ bytes: number }>`
    select coalesce(sum(octet_length(labels::text) + coalesce(octet_length(metadata::text), 0)), 0)::float8 as bytes
    from build where version_id = ${version.id} and deleted_at is null`.execute(tx);
  if ((rows[0]?.bytes ?? 0) <= bytesOfVersion) return;
  throw beyond(version, `${bytesOfVersion / 1024 / 1024} MiB of labels and metadata`);
}

const remedy = 'Publish them as versions of several buckets.';

const beyond = ({ bucket, fingerprint }: HeldVersion, most: string): Failure =>
  new Failure(
    'illegal_state',
    `Version "${fingerprint}" of bucket "${bucket}" has more than ${most}. ${remedy}`,
  );
