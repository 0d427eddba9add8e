/** Small schemas that the others are made of. */
import { z } from 'zod';
import { failureKinds, isFailureCode } from '../../../domain/failure.ts';
import type { FailureCode, FailureReport } from '../../../domain/failure.ts';
import type { Actor } from '../../../domain/actor.ts';
import type { ImageRef, Target } from '../../../domain/target.ts';

export const id = z.string().max(200);
export const instant = z
  .string()
  .meta({ description: 'ISO 8601 in UTC', examples: ['2026-03-01T04:00:00.000Z'] });
/** A date that a caller writes; its offset is required and checked where it is used. */
export const writtenInstant = z
  .string()
  .max(40)
  .meta({ description: 'ISO 8601 with its offset', examples: ['2026-03-01T05:00:00+01:00'] });
export const count = z.int().min(0);
export const milliseconds = z.int().min(0).meta({ description: 'milliseconds' });
export const reason = z.string().trim().min(1, 'say why').max(1000);
/** `limit` of a list. */
export const limit = z.coerce.number<number | string>().int().min(1).max(500);

export const actor: z.ZodType<Actor> = z.strictObject({
  name: z.string(),
  via: z.enum(['api', 'temporal', 'system']),
  principal: z.string().exactOptional().meta({ description: 'id of the service principal' }),
});

export const target = z.strictObject({
  provider: z.string().min(1).max(64),
  account: z.string().min(1).max(64),
  region: z.string().min(1).max(64),
}) satisfies z.ZodType<Target>;

/** Images that Packer told of lie wherever its plugins say, such as in a folder. */
const place = z.strictObject({ provider: z.string(), account: z.string(), region: z.string() });

export const imageRef: z.ZodType<ImageRef> = z.strictObject({ target: place, imageId: z.string() });

const failureCodes = Object.keys(failureKinds).filter(isFailureCode);
const [firstCode = 'internal', ...otherCodes] = failureCodes;

export const failureReport: z.ZodType<FailureReport> = z
  .strictObject({
    code: z.enum<readonly [FailureCode, ...FailureCode[]]>([firstCode, ...otherCodes]),
    message: z.string(),
  })
  .meta({ id: 'FailureReport' });

/** google.rpc.Status: the body of every answer that is not 200. */
export const status = z.object({
  code: z.int().meta({ description: 'google.rpc.Code' }),
  message: z.string(),
  details: z.array(
    z.object({
      '@type': z.string(),
      reason: z.string().meta({ description: 'code of the failure catalogue' }),
      domain: z.string(),
      metadata: z.record(z.string(), z.unknown()),
    }),
  ),
});
