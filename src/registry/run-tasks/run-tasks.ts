import type { ImageStanding } from '../../domain/run-task.ts';
import { workflowIds } from '../../domain/workflow-ids.ts';
import type { Store } from '../../store/store.ts';
import { clock, transact } from '../../store/transaction.ts';
import type { RunTasks } from '../contract/run-tasks.ts';
import type { FoundArtifact, Views } from '../contract/views.ts';
import { record } from '../record.ts';
import { findProject } from '../tenancy/projects.ts';

export function createRunTasks(store: Store, views: Views): RunTasks {
  const { db } = store;
  return {
    address: (apiId) =>
      db
        .selectFrom('registry_config')
        .innerJoin('project', 'project.id', 'registry_config.project_id')
        .where('run_task_api_id', '=', apiId)
        .select(['project.name as project', 'project.id as projectId', 'run_task_salt as salt'])
        .executeTakeFirst(),
    accept: ({ id, project, resultId, planUrl, callbackUrl, sealedToken, by }) =>
      transact(store, async (tx) => {
        const { id: projectId } = await findProject(tx, project);
        const at = await clock(tx);
        const made = await tx
          .insertInto('run_task')
          .values({
            id,
            project_id: projectId,
            result_id: resultId,
            plan_url: planUrl,
            callback_url: callbackUrl,
            sealed_token: sealedToken,
            state: 'pending',
            created_at: at,
          })
          .onConflict((on) => on.columns(['project_id', 'result_id']).doNothing())
          .executeTakeFirst();
        if (made.numInsertedOrUpdatedRows !== 1n) return;
        await record(tx, { kind: 'run_task.received', project, subjectId: id, data: { resultId }, by, at }, [
          {
            action: 'start',
            workflow: 'checkRun',
            workflowId: workflowIds.checkRun(project, id),
            input: { runTaskId: id },
          },
        ]);
      }),
    wanted: (id) =>
      db
        .selectFrom('run_task')
        .innerJoin('project', 'project.id', 'run_task.project_id')
        .innerJoin('registry_config', 'registry_config.project_id', 'run_task.project_id')
        .where('run_task.id', '=', id)
        .select(['project.name as project', 'state', 'plan_url as planUrl', 'callback_url as callbackUrl'])
        .select(['sealed_token as sealedToken', 'on_untracked_image as onUntrackedImage'])
        .executeTakeFirst(),
    end: (id, state, message) =>
      transact(store, async (tx) => {
        await tx
          .updateTable('run_task')
          .set({ state, message, sealed_token: null, ended_at: await clock(tx) })
          .where('id', '=', id)
          .where('state', '=', 'pending')
          .execute();
      }),
    async standings(project, ids) {
      const standings = new Map<string, ImageStanding>();
      for (const externalIdentifier of ids) {
        const { items } = await views.search(project, { externalIdentifier }, firstPage, () => 'all');
        const found = items.toSorted((one, other) => badness(other) - badness(one))[0];
        if (found !== undefined) standings.set(externalIdentifier, await standingOf(views, project, found));
      }
      return standings;
    },
  };
}

const firstPage = { sort: [], limit: 100, from: null } as const;

/** An image may have been published twice: what is worst of it counts. */
const badness = ({ version: { revocation } }: FoundArtifact): number =>
  revocation === null ? 0 : revocation.state === 'scheduled' ? 1 : 2;

async function standingOf(
  views: Views,
  project: string,
  { bucket: { name }, version }: FoundArtifact,
): Promise<ImageStanding> {
  const { latestVersion } = await views.bucket(project, name, () => 'all');
  return {
    state: version.revocation?.state ?? 'fine',
    bucket: name,
    version: version.name,
    at: version.revocation?.at ?? null,
    reason: version.revocation?.reason ?? '',
    newer: latestVersion === null || latestVersion.id === version.id ? null : latestVersion.name,
  };
}
