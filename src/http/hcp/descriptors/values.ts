/** Small schemas that HCP's bodies are made of. Its Go clients send null or nothing for what is unset, and so may everybody. */
import { z } from 'zod';

/** Unset is null, and never an empty text: a client reads that as the year 1970. */
export const instant = z.iso.datetime().nullable();
export const ulid = z.string().length(26);
export const uuid = z.uuid();
export const labels = z.record(z.string(), z.string());

const encoder = new TextEncoder();

/** A text of a body; `bytes` of UTF-8 at most, because that is what an index entry is measured in. */
export const text = (bytes: number) =>
  z
    .string()
    .refine((value) => encoder.encode(value).length <= bytes, `is longer than ${bytes} bytes`)
    .nullish()
    .transform((value) => value ?? undefined);

/** 100 labels at most, as no registry of people has more. */
export const givenLabels = z
  .record(z.string().max(255), z.string().max(1024))
  .refine((value) => Object.keys(value).length <= 100, 'holds more than 100 labels')
  .nullish()
  .transform((value) => value ?? undefined);

/** Of a build, which no registry bounds, and whose refusal would lose an image that is made: the body is their limit. */
export const buildLabels = labels.nullish().transform((value) => value ?? undefined);

export const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

/** HCP's location, which its clients repeat in bodies and queries. The one of the path counts. */
export const location = z.object({ organization_id: uuid, project_id: uuid });

export const nothing = z.object({});
