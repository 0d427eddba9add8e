/** The organization and project of a path, by their UUIDs. */
import { Failure } from '../../domain/failure.ts';
import type { AppDeps } from '../app.ts';
import type { Principal } from '../principals.ts';
import type { HcpLocation } from './handler.ts';

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Of the installation as a whole: a path that names no project. */
const nowhere: HcpLocation = { organizationId: '', projectId: '', project: '' };

/**
 * For a service principal a project that does not exist and one that is closed to it are the same (`permission_denied`): nobody learns which
 * ids there are.
 */
export async function findLocation(
  { registry }: AppDeps,
  principal: Principal,
  path: Readonly<Record<string, string>>,
): Promise<HcpLocation> {
  // Webhooks are of a project alone.
  const organizationId = path['location_organization_id']?.toLowerCase();
  const projectId = path['location_project_id']?.toLowerCase();
  if (projectId === undefined) return nowhere;
  const known =
    (organizationId === undefined || uuid.test(organizationId)) && uuid.test(projectId)
      ? await registry.tenancy.projectById(organizationId, projectId)
      : undefined;
  if (known !== undefined && principal.isKnownIn(known)) {
    return { organizationId: organizationId ?? '', projectId, project: known };
  }
  if (principal.id === undefined) {
    throw new Failure(
      'not_found',
      `Project ${projectId}${organizationId === undefined ? '' : ` of organization ${organizationId}`} does not exist. \`bakehouse projects list\` shows the ids.`,
    );
  }
  throw new Failure('permission_denied', `${principal.name} has no role in project ${projectId}.`);
}
