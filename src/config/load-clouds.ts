/** The file that `BAKEHOUSE_CLOUDS` names → the accounts of the clouds. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { cloudsSchema, type WrittenClouds } from './clouds-schema.ts';
import { type Complaint, complaintsOf, formatComplaints } from './schema-issues.ts';
import { writtenSecrets } from './written-secrets.ts';
import { readYaml } from './yaml-file.ts';

/** As written, with absolute paths; certificates are read. Absent: this installation has no account there. */
export type Clouds = WrittenClouds;

const namesOfPlaces = new Set(['clientSecretFile', 'clientSecretVault', 'encryptionKeys']);

const noSecretHere =
  "a secret must not stand in this file: take it out, and change it if others could read it. AWS takes credentials from the SDK's default chain, `assumeRole` or `lease`; Azure from the default chain, `clientSecretFile` or `clientSecretVault`";

/** Throws `invalid_input` with one complaint a line, each with its position. A secret is not quoted. */
export function loadClouds(file: string): Clouds {
  const document = onlyDocument(file, readYaml(textOf(file), file));
  const secrets = writtenSecrets(document.value, namesOfPlaces, noSecretHere);
  const parsed = cloudsSchema.safeParse(document.value);
  const found = parsed.success ? doubles(parsed.data) : complaintsOf(parsed.error.issues, document.value);
  const others = found.filter((one) => !secrets.some((secret) => isWithin(one.path, secret.path)));
  const complaints = formatComplaints(file, document, [...secrets, ...others]);
  if (complaints.length > 0 || !parsed.success)
    throw new Failure('invalid_input', complaints.slice(0, 20).join('\n'));
  return withPaths(parsed.data, file);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'error';
    const message = `BAKEHOUSE_CLOUDS names ${file}, which cannot be read (${code}): make it readable for this user, or leave it out`;
    throw new Failure('invalid_input', message, { cause });
  }
}

function onlyDocument(file: string, documents: ReturnType<typeof readYaml>) {
  const [first, second] = documents.filter(({ value }) => value !== null && value !== undefined);
  if (first === undefined) {
    throw new Failure(
      'invalid_input',
      `${file} is empty: write \`aws\` or \`azure\`, or leave BAKEHOUSE_CLOUDS out`,
    );
  }
  if (second !== undefined)
    throw new Failure('invalid_input', `${file} has several documents: write all of it in one`);
  return first;
}

/** Each account once: places hang on the pair of account and region. */
function doubles({ aws, azure }: WrittenClouds): readonly Complaint[] {
  const accounts = aws?.accounts ?? [];
  const subscriptions = azure?.subscriptions ?? [];
  return [
    ...twice(
      accounts.map(({ id }) => id),
      ['aws', 'accounts'],
      'id',
      'this account',
    ),
    ...accounts.flatMap(({ regions }, at) =>
      twice(regions, ['aws', 'accounts', at, 'regions'], undefined, 'this region'),
    ),
    ...accounts.flatMap(({ regions, encryptionKeys = {} }, at) =>
      Object.keys(encryptionKeys)
        .filter((region) => !regions.includes(region))
        .map((region) => ({
          path: ['aws', 'accounts', at, 'encryptionKeys', region],
          message: 'is none of the regions of this account: add it to `regions`, or take it out here',
          atKey: true,
        })),
    ),
    ...accounts.flatMap(roleElsewhere),
    ...twice(
      subscriptions.map(({ id }) => id.toLowerCase()),
      ['azure', 'subscriptions'],
      'id',
      'this subscription',
    ),
    ...subscriptions.flatMap(({ locations }, at) =>
      twice(locations, ['azure', 'subscriptions', at, 'locations'], undefined, 'this location'),
    ),
  ];
}

type WrittenAccount = NonNullable<WrittenClouds['aws']>['accounts'][number];

function roleElsewhere({ id, credentials }: WrittenAccount, at: number): readonly Complaint[] {
  const role = typeof credentials === 'string' ? undefined : credentials.assumeRole;
  const owner = role === undefined ? id : /::(\d{12}):/.exec(role)?.[1];
  if (owner === id) return [];
  const message = `is a role of another account than ${id}: name the one that it works in`;
  return [{ path: ['aws', 'accounts', at, 'credentials', 'assumeRole'], message }];
}

function twice(
  values: readonly string[],
  list: readonly PropertyKey[],
  key: string | undefined,
  what: string,
): readonly Complaint[] {
  return values.flatMap((value, at) =>
    values.indexOf(value) < at
      ? [{ path: [...list, at, ...(key === undefined ? [] : [key])], message: `${what} is named twice` }]
      : [],
  );
}

const isWithin = (path: readonly PropertyKey[], outer: readonly PropertyKey[]): boolean =>
  outer.every((step, at) => path[at] === step);

function withPaths({ aws, azure }: WrittenClouds, file: string): Clouds {
  const beside = (name: string): string => resolve(dirname(resolve(file)), name);
  const ofAws = aws === undefined ? {} : { aws };
  if (azure === undefined) return ofAws;
  return {
    ...ofAws,
    azure: {
      ...azure,
      ...(azure.caFile === undefined ? {} : { caFile: beside(azure.caFile) }),
      subscriptions: azure.subscriptions.map((one) => ({
        ...one,
        credentials: credentialsBeside(one, beside),
      })),
    },
  };
}

type WrittenSubscription = NonNullable<WrittenClouds['azure']>['subscriptions'][number];

function credentialsBeside(
  { credentials }: WrittenSubscription,
  beside: (name: string) => string,
): WrittenSubscription['credentials'] {
  if (typeof credentials === 'string' || credentials.clientSecretFile === undefined) return credentials;
  return { ...credentials, clientSecretFile: beside(credentials.clientSecretFile) };
}
