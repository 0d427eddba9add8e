import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';
import type { Db, Tx } from '../../store/store.ts';
import type { RegistryConfig } from '../contract/config.ts';
import { findProject } from '../tenancy/projects.ts';

/** Undefined: nobody has asked for it yet. `not_found` when there is no such project. */
export async function loadConfig(db: Db, project: string): Promise<RegistryConfig | undefined> {
  const { id } = await findProject(db, project);
  const row = await selectConfig(db, id).executeTakeFirst();
  return row === undefined ? undefined : toConfig(row);
}

/** The row, made when it is missing, and locked. */
export async function lockConfig(
  tx: Tx,
  project: string,
): Promise<{ readonly projectId: string; readonly config: RegistryConfig }> {
  const { id: projectId, createdAt } = await findProject(tx, project);
  await tx
    .insertInto('registry_config')
    .values({
      project_id: projectId,
      id: ulid(),
      run_task_api_id: ulid(),
      run_task_salt: randomBytes(32),
      created_at: createdAt,
      updated_at: createdAt,
    })
    .onConflict((on) => on.column('project_id').doNothing())
    .execute();
  const row = await selectConfig(tx, projectId).forUpdate().executeTakeFirstOrThrow();
  return { projectId, config: toConfig(row) };
}

const selectConfig = (db: Db, projectId: string) =>
  db.selectFrom('registry_config').selectAll().where('project_id', '=', projectId);

type Row = Awaited<ReturnType<ReturnType<typeof selectConfig>['executeTakeFirstOrThrow']>>;

const toConfig = (row: Row): RegistryConfig => ({
  id: row.id,
  tier: row.tier,
  deactivatedAt: row.deactivated_at,
  runTask: {
    apiId: row.run_task_api_id,
    salt: row.run_task_salt,
    onUntrackedImage: row.on_untracked_image,
  },
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
