import type { Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { Tenancy } from '../contract/tenancy.ts';
import { createProject, findProject } from './projects.ts';

export function createTenancy(store: Store): Tenancy {
  const { db } = store;
  /** By project id: neither of the two is ever changed. */
  const names = new Map<string, { readonly name: string; readonly organizationId: string }>();
  return {
    async organizations() {
      const organizations = await db
        .selectFrom('organization')
        .select(['id', 'name', 'created_at as createdAt'])
        .orderBy('created_at')
        .orderBy('id')
        .execute();
      const projects = await db
        .selectFrom('project')
        .select(['id', 'name', 'created_at as createdAt', 'organization_id as organizationId'])
        .orderBy('created_at')
        .orderBy('id')
        .execute();
      return organizations.map((organization) => ({
        ...organization,
        projects: projects
          .filter(({ organizationId }) => organizationId === organization.id)
          .map(({ id, name, createdAt }) => ({ id, name, createdAt })),
      }));
    },
    async projectById(organizationId, projectId) {
      const known = names.get(projectId);
      if (known !== undefined) return isOf(known, organizationId) ? known.name : undefined;
      const row = await db
        .selectFrom('project')
        .select(['name', 'organization_id as organizationId'])
        .where('id', '=', projectId)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      names.set(projectId, row);
      return isOf(row, organizationId) ? row.name : undefined;
    },
    project: (name) => findProject(db, name),
    createProject: (input) => transact(store, (tx) => createProject(tx, input)),
  };
}

const isOf = (project: { readonly organizationId: string }, organizationId: string | undefined): boolean =>
  organizationId === undefined || project.organizationId === organizationId;
