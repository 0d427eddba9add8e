import { z } from 'zod';
import { roles } from '../../../../domain/role.ts';
import { instant, text, ulid, uuid } from '../values.ts';

const roleId = z.templateLiteral(['roles/', z.enum(roles)], {
  error: 'is no role: write roles/viewer, roles/contributor or roles/admin',
});

export const policy = z.strictObject({
  etag: z.string(),
  bindings: z.array(
    z.strictObject({
      role_id: roleId,
      members: z.array(z.strictObject({ member_id: ulid, member_type: z.literal('SERVICE_PRINCIPAL') })),
    }),
  ),
});

/** Ids of principals are names of nothing else: 100 bytes are plenty. */
const member = z.object({
  member_id: z.string().min(1).max(100),
  member_type: z
    .literal(['SERVICE_PRINCIPAL', 'UNSET'], { error: 'is none of ours: members are service principals' })
    .nullish(),
});

const binding = z.object({
  role_id: roleId,
  members: z.array(member).max(1000).nullish(),
});

/** An empty list is sent as null. */
export const givenPolicy = z.object({
  etag: text(100),
  bindings: z.array(binding).max(100).nullish(),
});

export const principal = z.strictObject({
  id: ulid,
  type: z.literal('PRINCIPAL_TYPE_SERVICE'),
  service: z.strictObject({
    id: ulid,
    name: z.string(),
    organization_id: uuid,
    project_id: uuid,
    /** `iam/project/<project id>/service-principal/<name>` */
    resource_name: z.string(),
    created_at: instant,
  }),
  user: z.null(),
  group: z.null(),
  group_ids: z.array(z.string()),
});

export type WirePolicy = z.input<typeof policy>;
export type GivenPolicy = z.output<typeof givenPolicy>;
export type WirePrincipal = z.input<typeof principal>;
