/**
 * What people write in `bakehouse.yaml`. The JSON Schema for editors, `docs/reference/bakehouse.schema.json`, is generated from it.
 * `lines.ts` turns the parsed form into the domain's `ImageLine`.
 */
import { z } from 'zod';
import { latestChannel } from '../domain/names.ts';
import { anyText, duration, mapping, name, text } from './schema-words.ts';

const minute = 60_000;

const gitLocation = z.string().refine((value) => value !== '' && !value.startsWith('-'), {
  error: 'must not be empty or begin with "-"',
});

const templateMapping = mapping({
  path: text('path').exactOptional().meta({ description: 'Folder or file, relative to this file.' }),
  git: gitLocation.exactOptional().meta({ description: 'Repository that `git clone` takes.' }),
  ref: gitLocation
    .exactOptional()
    .meta({ description: 'Branch, tag or commit; the commit it means is fixed when a bake is asked for.' }),
  entry: text('entry').exactOptional().meta({
    description: 'Template file inside the folder or repository; absent: all `*.pkr.hcl` of the folder.',
  }),
}).superRefine((template, context) => {
  if ((template.path === undefined) === (template.git === undefined)) {
    context.addIssue('say where the template is: either `path` (a folder here) or `git` with `ref`');
  } else if (template.git !== undefined && template.ref === undefined) {
    context.addIssue('`git` needs `ref`: a branch, a tag or a commit');
  } else if (template.path !== undefined && template.ref !== undefined) {
    context.addIssue('`ref` belongs to `git`, not to `path`');
  }
});

const parent = mapping({
  bucket: name('bucket'),
  channel: name('channel'),
  variable: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, 'is not the name of a Packer variable')
    .optional()
    .meta({
      description:
        "The Packer variable that receives the reference of the parent's image. Absent: the template reads it by `hcp-packer-artifact` or `hcp-packer-version`.",
    }),
});

const place = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 letters, digits, "-", "_" or "."');

const target = mapping({
  provider: place,
  account: place.default('local'),
  region: place.default('local'),
  launch: z
    .record(z.string(), z.json())
    .default({})
    .meta({ description: 'Settings of a test launch there; the provider checks them.' }),
  copy: z.boolean().exactOptional().meta({
    description: 'Not baked but copied there, from the tested image of another target of the provider.',
  }),
  shareWith: z.array(text('a share')).exactOptional().meta({
    description:
      'Accounts, organizations or subscriptions that images there are shared with; all others lose it.',
  }),
  settings: z.record(z.string(), z.json()).exactOptional().meta({
    description: 'How copies lie there, such as their encryption key; the provider checks them.',
  }),
}).superRefine(({ copy, settings }, context) => {
  // What is baked there lies as the template says: a setting that nobody applies would be a promise.
  if (settings !== undefined && copy !== true) {
    context.addIssue({
      code: 'custom',
      path: ['settings'],
      message: 'are those of a copy: write `copy: true`, or say it in the Packer template',
    });
  }
});

const check = mapping({
  name: text('name'),
  command: text('command').exactOptional().meta({ description: 'Run in the guest; exit status 0 passes.' }),
  timeout: duration('How long the command may take.', 1000).exactOptional(),
  console: text('console')
    .exactOptional()
    .meta({ description: 'Regular expression that the serial console must show.' }),
}).superRefine((test, context) => {
  if ((test.command === undefined) === (test.console === undefined)) {
    context.addIssue('a test has either `command` or `console`');
  }
  if (test.console !== undefined && test.timeout !== undefined) {
    context.addIssue('`timeout` belongs to a `command`; the console is read once the boot is over');
  }
  if (test.console !== undefined && !isPattern(test.console)) {
    context.addIssue(`\`console\` is not a regular expression: ${test.console}`);
  }
});

const secret = mapping({
  name: text('name').meta({ description: 'For people and messages.' }),
  from: mapping({
    kv: text('kv').exactOptional().meta({ description: 'Path in a KV engine, as `vault kv get` takes it.' }),
    lease: text('lease').exactOptional().meta({
      description:
        'Path of a dynamic engine (`database/creds/bake`, `aws/creds/bake`): leased for each bake, and ended with it. One lease for all secrets of a path.',
    }),
    key: text('key').meta({ description: 'Which of the values that are there.' }),
  }),
  into: mapping({
    variable: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, 'is not the name of a Packer variable')
      .exactOptional()
      .meta({ description: 'The Packer variable that receives it.' }),
    environment: text('environment')
      .exactOptional()
      .meta({ description: "The name in Packer's environment that receives it." }),
  }),
}).superRefine(({ from, into }, context) => {
  if ((from.kv === undefined) === (from.lease === undefined)) {
    context.addIssue({ code: 'custom', path: ['from'], message: 'say where it is: either `kv` or `lease`' });
  }
  if ((into.variable === undefined) === (into.environment === undefined)) {
    context.addIssue({ code: 'custom', path: ['into'], message: 'either `variable` or `environment`' });
  }
});

const gates = mapping({
  tested: z.boolean().default(false).meta({ description: 'Every image passed its latest test launch.' }),
  verified: z.boolean().default(false).meta({ description: 'Every image was seen usable in its target.' }),
  inOrder: z.boolean().default(false).meta({ description: 'The version is or was on the channel before.' }),
  soak: duration('How long it must have been on the channel before.').prefault('0s'),
  approvals: z
    .int({ error: 'must be a whole number of people' })
    .min(0)
    .max(20)
    .default(0)
    .meta({ description: 'This many people must approve.' }),
  approvalDeadline: duration('Nobody answered by then: not promoted.', minute).prefault('2d'),
});

const channelName = name('channel').refine((value) => value !== latestChannel, {
  error: `\`${latestChannel}\` exists in every bucket and is moved by completion only; remove it`,
});

const channel = z.union([channelName, mapping({ name: channelName, gates: gates.prefault({}) })], {
  error: 'expected a channel name, or a mapping with `name` and `gates`',
});

const endOfLife = z.union(
  [
    duration('Age at which a version is revoked by policy.', minute),
    mapping({
      after: duration('Age at which a version is revoked by policy.', minute),
      cascades: z.boolean().default(false).meta({ description: 'Whether children inherit it.' }),
    }),
  ],
  { error: 'expected a duration such as 90d, or a mapping with `after` and `cascades`' },
);

const template = z.union([text('template'), templateMapping], {
  error: 'expected the path of a folder or file, or a mapping with `path` or `git`',
});

const source = z
  .string()
  .regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_*-]+$/, 'is not a Packer source: write type.name');

const bucketSchema = mapping({
  description: z.string().max(1000).default(''),
  template: template.meta({ description: 'Where the Packer template is.' }),
  sources: z.array(source).default([]).meta({ description: 'Packer sources to build; absent: all.' }),
  variables: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, 'is not the name of a Packer variable'),
      anyText('a variable'),
      {
        error: 'expected a mapping of variable names to texts',
      },
    )
    .default({}),
  secrets: z
    .array(secret)
    .default([])
    .meta({ description: 'Issued by Vault for each bake when Packer starts, and ended with it.' }),
  parents: z.array(parent).default([]),
  targets: z
    .array(target)
    .min(1, 'name at least one target')
    .prefault([{ provider: 'qemu' }]),
  tests: z.array(check).default([]),
  channels: z.array(channel).default([]).meta({ description: 'In promotion order.' }),
  timeLimit: duration('Packer is ended after this long.', 1000).prefault('1h'),
  endOfLife: endOfLife.exactOptional(),
  deleteAfter: duration(
    'A revoked image is deleted this long after it was blocked, if nothing uses it.',
  ).exactOptional(),
  adopt: z.boolean().default(false).meta({
    description: 'A version that others complete (`packer build`) is released too, from its test launch on.',
  }),
});

export const documentSchema = mapping({
  project: name('project').exactOptional().meta({ description: 'Absent: the project of the command.' }),
  buckets: z
    .record(name('bucket'), bucketSchema, { error: 'expected a mapping of bucket names to image lines' })
    .meta({ description: 'Image lines by bucket.' }),
});

export type WrittenBucket = z.infer<typeof bucketSchema>;
export type WrittenDocument = z.infer<typeof documentSchema>;

/** JSON Schema (2020-12) of `bakehouse.yaml` for editors. */
export function bakehouseJsonSchema(): object {
  return {
    title: 'bakehouse.yaml: image lines as code',
    ...z.toJSONSchema(documentSchema, { io: 'input' }),
  };
}

function isPattern(pattern: string): boolean {
  try {
    return new RegExp(pattern) instanceof RegExp;
  } catch {
    return false;
  }
}
