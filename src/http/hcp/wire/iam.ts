import { roles } from '../../../domain/role.ts';
import type { BucketPolicy, PolicyRole, PrincipalName } from '../../../registry/contract/bucket-policies.ts';
import type { GivenPolicy, WirePolicy, WirePrincipal } from '../descriptors/schemas/iam.ts';

export const toWirePolicy = (policy: BucketPolicy): WirePolicy => ({
  etag: policy.etag,
  bindings: roles
    .map((role) => ({
      role_id: `roles/${role}` as const,
      members: policy.roles
        .filter((held) => held.role === role)
        .map(({ principalId }) => ({
          member_id: principalId,
          member_type: 'SERVICE_PRINCIPAL' as const,
        })),
    }))
    .filter(({ members }) => members.length > 0),
});

export const fromWirePolicy = ({ bindings }: GivenPolicy): readonly PolicyRole[] =>
  (bindings ?? []).flatMap(({ role_id, members }) => {
    const role = roles.find((one) => role_id === `roles/${one}`);
    return role === undefined
      ? []
      : (members ?? []).map(({ member_id }) => ({ principalId: member_id, role }));
  });

export const toWirePrincipal = (found: PrincipalName): WirePrincipal => ({
  id: found.id,
  type: 'PRINCIPAL_TYPE_SERVICE',
  service: {
    id: found.id,
    name: found.name,
    organization_id: found.organizationId,
    project_id: found.projectId,
    resource_name: `iam/project/${found.projectId}/service-principal/${found.name}`,
    created_at: found.createdAt,
  },
  user: null,
  group: null,
  group_ids: [],
});
