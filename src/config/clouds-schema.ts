/**
 * What people write in the file that `BAKEHOUSE_CLOUDS` names: the accounts that images live in. The JSON Schema for editors,
 * `docs/reference/clouds.schema.json`, is generated from it. Nothing in it is secret; `written-secrets.ts` refuses what looks so.
 */
import { z } from 'zod';
import { anyText, mapping, name, text } from './schema-words.ts';

const defaultChain = z
  .string()
  .regex(/^default$/, 'expected `default`, or a mapping')
  .meta({ description: "What the SDK's default chain finds: environment, workload identity, the machine." });

const callsPerSecond = z
  .number({ error: 'expected a number of steps a second' })
  .positive('must be more than 0')
  .max(1000, 'must be 1000 at most')
  .exactOptional()
  .meta({
    description:
      'Steps that all workers together begin in a second in each place, each of some calls, those that wait counted apart; absent: no limit.',
  });

const address = (example: string, protocol: RegExp) =>
  z.url({ protocol, error: `is not an address: write for example ${example}` });

/** The SDK sends no token of Azure in clear. */
const secured = /^https$/;

const awsRegion = z
  .string()
  .regex(/^[a-z]{2,}(-[a-z]+)+-\d$/, 'is not a region: write for example eu-central-1');

const awsCredentials = mapping({
  assumeRole: anyText('assumeRole')
    .regex(
      /^arn:[\w-]+:iam::\d{12}:role\/.+$/,
      "is not a role's ARN: arn:aws:iam::111122223333:role/bakehouse",
    )
    .exactOptional()
    .meta({
      description: 'ARN of a role that the default chain may assume. A bake gets a session of its own.',
    }),
  externalId: text('externalId').exactOptional().meta({ description: "The role's external id." }),
  sessionMinutes: z
    .int('must be a whole number of minutes')
    .min(15, 'must be at least 15')
    .max(720, 'must be 720 at most')
    .exactOptional()
    .meta({
      description: "Of sessions for our own calls, by default 60; a bake's lasts as long as its time limit.",
    }),
  lease: text('lease')
    .exactOptional()
    .meta({ description: 'Path of an AWS engine of Vault: `aws/sts/<role>` or `aws/creds/<role>`.' }),
}).superRefine(({ assumeRole, lease, externalId, sessionMinutes }, context) => {
  if ((assumeRole === undefined) === (lease === undefined)) {
    context.addIssue(
      'say whose they are: either `assumeRole` or `lease`, or `default` for the default chain',
    );
  } else if (lease !== undefined && (externalId ?? sessionMinutes) !== undefined) {
    context.addIssue('`externalId` and `sessionMinutes` belong to `assumeRole`, not to `lease`');
  }
});

/** Source: Systems Manager user guide, "Requirements and constraints for parameter names". Bucket and channel come below it. */
const parameterPrefix = /^(?!\/([aA][wW][sS]|[sS][sS][mM]))(\/[A-Za-z0-9_.-]+){1,10}$/;

const awsAccount = mapping({
  id: anyText('an account id')
    .regex(/^\d{12}$/, 'is not an account id: 12 digits')
    .meta({ description: '`account` of a target. In quotes: YAML would take it for a number.' }),
  regions: z
    .array(awsRegion)
    .min(1, 'name at least one region')
    .meta({ description: '`region` of a target.' }),
  credentials: z
    .union([defaultChain, awsCredentials], {
      error: 'expected `default`, or a mapping with `assumeRole` or `lease`',
    })
    .prefault('default'),
  encryptionKeys: z
    .record(awsRegion, text('a key'))
    .exactOptional()
    .meta({ description: 'KMS key of copies, by region: id, alias or ARN.' }),
  callsPerSecond,
  parameterPrefix: z
    .string()
    .regex(
      parameterPrefix,
      'is not the path of a parameter: write up to ten names like /images/base, of letters, digits, _ . and -, that do not begin with aws or ssm',
    )
    .exactOptional()
    .meta({ description: 'Where channels are published in the parameter store, by default `/bakehouse`.' }),
});

const azureCredentials = mapping({
  tenant: anyText('tenant').regex(/^[0-9a-fA-F-]{36}$/, 'is not the GUID of a tenant'),
  clientId: anyText('clientId').regex(/^[0-9a-fA-F-]{36}$/, 'is not the GUID of an application'),
  clientSecretFile: text('clientSecretFile').exactOptional().meta({
    description: 'File with the secret, mode 0600, read whenever a token is needed. Relative to this file.',
  }),
  clientSecretVault: mapping({
    kv: text('kv').meta({ description: 'Path in a KV engine of Vault, as `vault kv get` takes it.' }),
    key: text('key').meta({ description: 'Which of the values that are there.' }),
  })
    .exactOptional()
    .meta({ description: 'The secret in Vault, read whenever a token is needed.' }),
}).superRefine(({ clientSecretFile, clientSecretVault }, context) => {
  if ((clientSecretFile === undefined) === (clientSecretVault === undefined)) {
    context.addIssue('say where the secret is: either `clientSecretFile` or `clientSecretVault`');
  }
});

const azureSubscription = mapping({
  id: anyText('a subscription')
    .regex(/^[0-9a-fA-F-]{36}$/, 'is not the GUID of a subscription')
    .meta({ description: '`account` of a target.' }),
  locations: z
    .array(z.string().regex(/^[a-z0-9]+$/, 'is not a location as Azure writes it in ids: westeurope'))
    .min(1, 'name at least one location')
    .meta({ description: '`region` of a target.' }),
  resourceGroup: text('resourceGroup').meta({
    description: 'Resource group of the gallery; it exists already.',
  }),
  gallery: text('gallery').meta({
    description: 'Azure Compute Gallery that images go to; it exists already.',
  }),
  credentials: z
    .union([defaultChain, azureCredentials], {
      error: 'expected `default`, or a mapping with `tenant` and `clientId`',
    })
    .prefault('default'),
  callsPerSecond,
  pointerChannel: name('channel')
    .exactOptional()
    .meta({ description: 'The one channel that `latest` of an image definition follows.' }),
});

export const cloudsSchema = mapping({
  aws: mapping({
    endpoint: address('https://ec2.internal.example', /^https?$/)
      .exactOptional()
      .meta({ description: "Private endpoint of every service; absent: the SDK's own." }),
    accounts: z.array(awsAccount).min(1, 'name at least one account'),
  }).exactOptional(),
  azure: mapping({
    endpoint: address('https://management.usgovcloudapi.net', secured)
      .exactOptional()
      .meta({ description: "Of Azure Resource Manager; absent: the public cloud's." }),
    authority: address('https://login.microsoftonline.us', secured)
      .exactOptional()
      .meta({ description: "Of Microsoft Entra ID; absent: the public cloud's." }),
    caFile: text('caFile').exactOptional().meta({
      description:
        'File with certificates in PEM that are trusted besides the usual ones. Relative to this file.',
    }),
    allReadersConfigured: z.boolean({ error: 'expected true or false' }).exactOptional().meta({
      description:
        'Whether every subscription whose machines may use the images is named here, by default false. Azure does not tell who may read a gallery by a role: without this no image is proved to be unused, and none is deleted.',
    }),
    subscriptions: z.array(azureSubscription).min(1, 'name at least one subscription'),
  }).exactOptional(),
}).superRefine(({ aws, azure }, context) => {
  if (aws === undefined && azure === undefined) {
    context.addIssue('names no cloud: write `aws` or `azure`, or leave BAKEHOUSE_CLOUDS out');
  }
});

export type WrittenClouds = z.infer<typeof cloudsSchema>;

/** JSON Schema (2020-12) of the clouds file for editors. */
export function cloudsJsonSchema(): object {
  return { title: 'Accounts that Bakehouse works in', ...z.toJSONSchema(cloudsSchema, { io: 'input' }) };
}
