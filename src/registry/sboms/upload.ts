import { sql } from 'kysely';
import { ulid } from 'ulid';
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import { clock, lockVersions } from '../../store/transaction.ts';
import type { Sbom, Sboms } from '../contract/sboms.ts';
import { refuseOthers } from '../publishing/refuse-others.ts';
import { record } from '../record.ts';
import { scanPackages } from '../vulnerabilities/scan.ts';
import { advisedPackages } from './advised-packages.ts';
import { findBuild, findRunningBuild } from './find-build.ts';

/** Of one build. */
const most = 50;

export async function uploadSbom(
  tx: Tx,
  { name, format, content, sizeBytes, packages, by, ...at }: Parameters<Sboms['upload']>[0],
): Promise<Sbom> {
  const advised = advisedPackages(packages);
  const { versionId } = await findBuild(tx, at);
  // Packer ends the build only after it; a build that is ended meanwhile takes none.
  await lockVersions(tx, [versionId]);
  const { requestId } = await tx
    .selectFrom('version')
    .select('request_id as requestId')
    .where('id', '=', versionId)
    .executeTakeFirstOrThrow();
  await refuseOthers(tx, { ...at, id: versionId, requestId }, by);
  await findRunningBuild(tx, at);
  const now = await clock(tx);
  const bytes = Buffer.from(content);
  const held = await tx
    .selectFrom('sbom')
    .select(['id', 'name', 'format', sql<boolean>`content = ${bytes}`.as('same')])
    .where('build_id', '=', at.buildId)
    .execute();
  const before = held.find((one) => one.name === name);
  if (before?.format === format && before.same) return { id: before.id, name: before.name, format };
  if (before === undefined && held.length >= most) {
    throw new Failure('illegal_state', `The build has ${most} SBOMs, which is the most there may be.`);
  }
  const id = before?.id ?? ulid();
  const named = name ?? id;
  const values = { format, content: bytes, size_bytes: sizeBytes, actor: JSON.stringify(by) };
  await tx
    .insertInto('sbom')
    .values({ id, build_id: at.buildId, name: named, created_at: now, ...values })
    .onConflict((on) => on.column('id').doUpdateSet(values))
    .execute();
  await tx.deleteFrom('sbom_package').where('sbom_id', '=', id).execute();
  await writePackages(tx, id, advised);
  await scanPackages(tx, id, now);
  await record(tx, {
    kind: 'sbom.uploaded',
    project: at.project,
    bucket: at.bucket,
    versionId,
    subjectId: id,
    data: { build: at.buildId, sbom: named, format, packages: packages.length, sizeBytes },
    by,
    at: now,
  });
  return { id, name: named, format };
}

/** In one order, so that uploads of the same packages wait for one another and nothing worse. */
async function writePackages(
  tx: Tx,
  sbomId: string,
  packages: ReturnType<typeof advisedPackages>,
): Promise<void> {
  const given = JSON.stringify(packages);
  await sql`
    insert into package (name, version, purl, ecosystem, advised_name, advised_version)
    select distinct on (name collate "C", version collate "C", purl collate "C") name, version, purl, ecosystem, advised_name, advised_version
    from jsonb_to_recordset(${given}::jsonb) as r (
      name text, version text, purl text, ecosystem text, advised_name text, advised_version text
    )
    order by name collate "C", version collate "C", purl collate "C"
    on conflict (name, version, purl) do nothing`.execute(tx);
  await sql`
    insert into sbom_package (sbom_id, package_id)
    select distinct ${sbomId}, p.id
    from jsonb_to_recordset(${given}::jsonb) as r (name text, version text, purl text)
      join package p on p.name = r.name and p.version = r.version and p.purl = r.purl`.execute(tx);
}
