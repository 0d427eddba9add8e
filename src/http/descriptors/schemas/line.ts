import { z } from 'zod';
import type {
  ChannelSpec,
  CheckSpec,
  Gates,
  ImageLine,
  LineSecret,
  LineChange,
  TemplatePin,
  TemplateSource,
} from '../../../domain/image-line.ts';
import type { BucketSummary } from '../../../registry/contract/lines.ts';
import { count, id, instant, milliseconds, target } from './values.ts';

const word = z.string().min(1).max(200);

export const gates: z.ZodType<Gates> = z
  .strictObject({
    tested: z.boolean(),
    verified: z.boolean(),
    inOrder: z.boolean(),
    soakMs: milliseconds,
    approvals: count,
    approvalDeadlineMs: milliseconds,
  })
  .meta({ id: 'Gates' });

const templateSource: z.ZodType<TemplateSource> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('folder'), path: word, entry: word, digest: word }),
  z.strictObject({ kind: z.literal('git'), repository: word, ref: word, entry: word }),
]);

export const templatePin: z.ZodType<TemplatePin> = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('snapshot'), digest: word, entry: word }),
    z.strictObject({ kind: z.literal('git'), repository: word, commit: word, entry: word }),
  ])
  .meta({ id: 'TemplatePin' });

const check: z.ZodType<CheckSpec> = z.discriminatedUnion('kind', [
  z.strictObject({
    name: word,
    kind: z.literal('command'),
    command: z.string().min(1).max(10_000),
    timeoutMs: milliseconds,
  }),
  z.strictObject({ name: word, kind: z.literal('console'), pattern: z.string().min(1).max(1000) }),
]);

const secret: z.ZodType<LineSecret> = z.strictObject({
  name: word,
  from: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('kv'), path: word, key: word }),
    z.strictObject({ kind: z.literal('lease'), path: word, key: word }),
  ]),
  into: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('variable'), name: word }),
    z.strictObject({ kind: z.literal('environment'), name: word }),
  ]),
});

const channelSpec: z.ZodType<ChannelSpec> = z.strictObject({ name: word, gates });

/** The normal form of one bucket of `bakehouse.yaml`: defaults filled in, durations in milliseconds. */
export const imageLine: z.ZodType<ImageLine> = z
  .strictObject({
    bucket: word,
    description: z.string().max(1000),
    template: templateSource,
    sources: z.array(word),
    variables: z.record(word, z.string().max(10_000)),
    secrets: z.array(secret).exactOptional(),
    parents: z.array(z.strictObject({ bucket: word, channel: word, variable: word.exactOptional() })),
    targets: z
      .array(
        target.extend({
          launch: z.record(z.string(), z.unknown()),
          copy: z.boolean().exactOptional(),
          shareWith: z.array(word).exactOptional(),
          settings: z.record(z.string(), z.unknown()).exactOptional(),
        }),
      )
      .min(1),
    tests: z.array(check),
    channels: z.array(channelSpec),
    timeLimitMs: milliseconds,
    endOfLifeMs: milliseconds.exactOptional(),
    endOfLifeCascades: z.boolean(),
    deleteAfterMs: milliseconds.exactOptional(),
    adopt: z.boolean().exactOptional(),
  })
  .meta({ id: 'ImageLine' });

export const lineChange: z.ZodType<LineChange> = z
  .strictObject({
    bucket: z.string(),
    action: z.enum(['create', 'change', 'none']),
    differences: z.array(z.string()),
  })
  .meta({ id: 'LineChange' });

export const bucketSummary: z.ZodType<BucketSummary> = z
  .strictObject({
    id,
    project: z.string(),
    bucket: z.string(),
    description: z.string(),
    line: imageLine.nullable(),
    latestNumber: count,
    createdAt: instant,
  })
  .meta({ id: 'Bucket' });
