/** What is needed of an advisory in OSV's format; its other fields are let pass, because files of it have many. */
import { z } from 'zod';

const encoder = new TextEncoder();
const text = (bytes: number) =>
  z.string().refine((value) => encoder.encode(value).length <= bytes, `is longer than ${bytes} bytes`);
const names = z.array(text(255)).max(1000).nullish();
const severity = z
  .array(z.object({ type: text(64), score: text(512) }))
  .max(20)
  .nullish();
/** A word such as `HIGH`, which each source of advisories puts in a place of its own. */
const specific = z.object({ severity: z.unknown().optional(), urgency: z.unknown().optional() }).nullish();
const version = text(256).optional();

export const osvAdvisory = z
  .object({
    id: text(255).min(1),
    modified: text(64).nullish(),
    published: text(64).nullish(),
    withdrawn: text(64).nullish(),
    aliases: names,
    related: names,
    summary: z.string().nullish(),
    details: z.string().nullish(),
    severity,
    database_specific: specific,
    affected: z
      .array(
        z.object({
          package: z.object({ ecosystem: text(255), name: text(512) }).nullish(),
          ranges: z
            .array(
              z.object({
                type: text(64),
                events: z
                  .array(
                    z.object({ introduced: version, fixed: version, last_affected: version, limit: version }),
                  )
                  .max(1000),
              }),
            )
            .max(1000)
            .nullish(),
          versions: z.array(text(256)).max(50_000).nullish(),
          severity,
          ecosystem_specific: specific,
          database_specific: specific,
        }),
      )
      .max(5000)
      .nullish(),
  })
  .meta({ id: 'OsvAdvisory' });
