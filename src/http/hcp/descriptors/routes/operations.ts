/** The operation service: where work stands that an answer named. */
import { z } from 'zod';
import { hcpRoute } from '../route.ts';
import { operation } from '../schemas/operation.ts';
import { nothing } from '../values.ts';

const path =
  '/operation/2020-05-05/organizations/{location.organization_id}/projects/{location.project_id}/operations/{id}' as const;

export const operationRoutes = {
  OperationService_Get: hcpRoute({
    method: 'GET',
    path,
    operation: 'OperationService_Get',
    summary:
      'Where an operation stands: PENDING before the date of a revocation, RUNNING until its effect is written, else DONE.',
    role: 'any',
    query: nothing,
    body: nothing,
    reply: z.strictObject({ operation }),
    errors: ['not_found'],
  }),
  OperationService_Wait: hcpRoute({
    method: 'GET',
    path: `${path}/wait`,
    operation: 'OperationService_Wait',
    summary: 'The same, as soon as it is DONE, or after `timeout` (`5s`, at most 30 s).',
    role: 'any',
    query: z.object({
      timeout: z
        .string({ error: 'is written more than once' })
        .regex(/^\d{1,6}(?:\.\d{1,9})?s$/, 'is a number of seconds with an s, such as 5s')
        .optional(),
    }),
    body: nothing,
    reply: z.strictObject({ operation }),
    errors: ['not_found'],
  }),
};
