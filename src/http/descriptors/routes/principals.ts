import { z } from 'zod';
import { nothing, route } from '../route.ts';
import { madeSecret, role, servicePrincipal } from '../schemas/principal.ts';
import { milliseconds, reason } from '../schemas/values.ts';

const inProject = '/projects/{project}/principals';
const one = `${inProject}/{principal}` as const;

const roles = {
  role: role.nullable().meta({ description: 'in the whole project; null: none' }),
  buckets: z
    .array(z.strictObject({ bucket: z.string().max(200), role }))
    .max(500)
    .meta({ description: 'on single buckets, in addition' }),
};

/** Both secrets work until a rotation's grace is over; longer would be two secrets, not a rotation. */
const longestGraceMs = 90 * 86_400_000;

export const principalRoutes = {
  createPrincipal: route({
    method: 'POST',
    path: inProject,
    summary: 'A service principal that lives in the project, with its roles there and its first secret.',
    role: 'admin',
    input: z.strictObject({
      name: z.string().max(200),
      role: roles.role.default(null),
      buckets: roles.buckets.default([]),
    }),
    reply: madeSecret,
    errors: ['not_found', 'already_exists'],
  }),
  listPrincipals: route({
    method: 'GET',
    path: inProject,
    summary: 'Service principals that live in the project or hold a role in it; no secrets.',
    role: 'viewer',
    input: nothing,
    reply: z.strictObject({ principals: z.array(servicePrincipal) }),
    errors: ['not_found'],
  }),
  setPrincipalRoles: route({
    method: 'PUT',
    path: `${one}/roles`,
    summary:
      'Replaces the roles that a service principal of the organization holds in the project; none of them keeps it out.',
    role: 'admin',
    input: z.strictObject(roles),
    reply: servicePrincipal,
    errors: ['not_found', 'illegal_state'],
  }),
  rotatePrincipal: route({
    method: 'POST',
    path: `${one}/rotate`,
    summary:
      'A new client id and secret. The present one works on for a grace, unless it was never used and another one still works: then it is replaced.',
    role: 'admin',
    input: z.strictObject({
      graceMs: milliseconds
        .max(longestGraceMs)
        .default(86_400_000)
        .meta({ description: 'milliseconds; 0 ends all secrets before and their tokens at once' }),
    }),
    reply: madeSecret,
    errors: ['not_found', 'illegal_state'],
  }),
  revokePrincipal: route({
    method: 'POST',
    path: `${one}/revoke`,
    summary: 'Ends a service principal for good: its secrets and tokens are refused from the next call on.',
    role: 'admin',
    input: z.strictObject({ reason }),
    reply: servicePrincipal,
    errors: ['not_found'],
  }),
};
