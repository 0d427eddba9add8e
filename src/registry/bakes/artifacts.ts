import { system } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { CheckResult } from '../../domain/version.ts';
import type { Db, Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { Bakes, TestRecord } from '../contract/bakes.ts';
import { record } from '../record.ts';
import { loadVersion } from '../versions/load.ts';
import { lockVersion } from './lock-version.ts';

const detailBytes = 2048;

export async function getArtifact(
  db: Db,
  artifactId: string,
): Promise<Awaited<ReturnType<Bakes['getArtifact']>>> {
  const versionId = await versionOf(db, artifactId);
  const { bucket, project, builds } = await loadVersion(db, versionId);
  const artifact = builds.flatMap((build) => build.artifacts).find(({ id }) => id === artifactId);
  if (artifact === undefined) throw artifactNotFound(artifactId);
  const attempts = await db
    .selectFrom('bake_attempt')
    .select('marks')
    .where('version_id', '=', versionId)
    .execute();
  const mustBeGone = [...new Set(attempts.flatMap(({ marks }) => marks))];
  const { secret_scan: secretScan } = await db
    .selectFrom('artifact')
    .select('secret_scan')
    .where('id', '=', artifactId)
    .executeTakeFirstOrThrow();
  return { ...artifact, versionId, bucket, project, mustBeGone, secretScan };
}

/** A test run is written once; the same id again changes nothing. */
export async function recordTest(tx: Tx, test: TestRecord): Promise<void> {
  const version = await lockVersion(tx, await versionOf(tx, test.artifactId));
  const now = await clock(tx);
  const checks = test.checks.map((check) => ({
    ...check,
    detail: bounded(check.detail),
  })) satisfies CheckResult[];
  const made = await tx
    .insertInto('test_run')
    .values({
      id: test.id,
      artifact_id: test.artifactId,
      passed: test.passed,
      boot_ms: test.bootMs === null ? null : Math.round(test.bootMs),
      checks: JSON.stringify(checks),
      ended_at: now,
    })
    .onConflict((on) => on.column('id').doNothing())
    .executeTakeFirst();
  if (made.numInsertedOrUpdatedRows !== 1n) return;
  await record(tx, {
    kind: 'artifact.tested',
    project: version.project,
    bucket: version.bucket,
    versionId: version.id,
    subjectId: test.artifactId,
    data: { testId: test.id, passed: test.passed, failed: failedOf(test) },
    by: system('test'),
    at: now,
  });
}

async function versionOf(db: Db, artifactId: string): Promise<string> {
  const row = await db
    .selectFrom('artifact')
    .select('version_id')
    .where('id', '=', artifactId)
    .executeTakeFirst();
  if (row === undefined) throw artifactNotFound(artifactId);
  return row.version_id;
}

export function artifactNotFound(artifactId: string): Failure {
  return new Failure('not_found', `Artifact ${artifactId} does not exist. A version's builds list theirs.`);
}

function failedOf(test: TestRecord): readonly string[] {
  return test.checks.filter(({ passed }) => !passed).map(({ name }) => name);
}

/** PostgreSQL's jsonb holds no zero byte; the end of an output says most. */
function bounded(detail: string): string {
  const clean = detail.replaceAll('\0', '\uFFFD');
  const bytes = Buffer.from(clean);
  if (bytes.length <= detailBytes) return clean;
  const tail = bytes.subarray(bytes.length - detailBytes + 3);
  const start = tail.findIndex((byte) => (byte & 0xc0) !== 0x80);
  return `…${tail.subarray(start).toString('utf8')}`;
}
