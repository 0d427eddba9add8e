import { z } from 'zod';
import { nothing, route } from '../route.ts';
import { exemption, revocationRecord } from '../schemas/revocation.ts';
import { milliseconds, reason, writtenInstant } from '../schemas/values.ts';
import { version } from '../schemas/version.ts';

const oneVersion = '/projects/{project}/buckets/{bucket}/versions/{version}';
const oneRecord = `${oneVersion}/revocations/{revocation}` as const;

export const revocationRoutes = {
  revokeVersion: route({
    method: 'POST',
    path: `${oneVersion}/revocations`,
    summary: 'Revokes a version now, or at a date, with its descendants unless told otherwise.',
    role: 'contributor',
    input: z.strictObject({
      at: writtenInstant.exactOptional(),
      inMs: milliseconds.exactOptional(),
      reason,
      rollBack: z.boolean().default(true).meta({ description: 'channels on it roll back' }),
      descendants: z.boolean().default(true).meta({ description: 'versions baked from it inherit it' }),
    }),
    reply: z.strictObject({ record: revocationRecord, version }),
    errors: ['not_found', 'illegal_state'],
  }),
  listRevocations: route({
    method: 'GET',
    path: `${oneVersion}/revocations`,
    summary: 'Every revocation record of a version, lifted ones too.',
    role: 'viewer',
    input: nothing,
    reply: z.strictObject({ records: z.array(revocationRecord) }),
    errors: ['not_found'],
  }),
  rescheduleRevocation: route({
    method: 'POST',
    path: `${oneRecord}/reschedule`,
    summary: 'Moves an explicit record that has not taken effect, inherited ones with it.',
    role: 'contributor',
    input: z.strictObject({ at: writtenInstant }),
    reply: revocationRecord,
    errors: ['not_found', 'illegal_state'],
  }),
  liftRevocation: route({
    method: 'POST',
    path: `${oneRecord}/lift`,
    summary: 'Lifts one explicit or policy record, inherited ones with it.',
    role: 'contributor',
    input: z.strictObject({ reason }),
    reply: revocationRecord,
    errors: ['not_found', 'illegal_state'],
  }),
  restoreVersion: route({
    method: 'POST',
    path: `${oneVersion}/restore`,
    summary: 'Lifts all explicit and policy records of a version. Puts nothing back on channels.',
    role: 'contributor',
    input: z.strictObject({ reason }),
    reply: version,
    errors: ['not_found', 'illegal_state'],
  }),
  exemptVersion: route({
    method: 'POST',
    path: `${oneVersion}/exemptions`,
    summary: 'Shields a version from its revocations until a date.',
    role: 'admin',
    input: z.strictObject({ endsAt: writtenInstant, reason, descendants: z.boolean().default(false) }),
    reply: exemption,
    errors: ['not_found', 'illegal_state'],
  }),
};
