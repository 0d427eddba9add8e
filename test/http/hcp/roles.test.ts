/** Who may call what of HCP's API, route by route and caller by caller, against the one table of `support/roles.ts`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf, newAccessToken } from '../../../src/http/credentials.ts';
import type { HcpOperation } from '../../../src/http/hcp/handler.ts';
import { hcpOperations } from '../../../src/http/hcp/operations.ts';
import { ann, project } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import type { Api } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { tokenOf } from '../support/token-of.ts';
import { hcpOf } from './support/hcp.ts';
import type { LeastRole } from './support/roles.ts';
import { leastRoles } from './support/roles.ts';

const database = useDatabase();
let api: Api;
/** Values of the names in paths: what is there, and a bucket that a bucket's contributor has no role on. */
let names: Readonly<Record<string, string>>;
let foreignBucket: string;
let tokens: Readonly<Record<string, string>>;

type Caller =
  | 'nobody'
  | 'expired'
  | 'unknown'
  | 'other project'
  | 'other organization'
  | 'on one bucket'
  | 'viewer'
  | 'contributor'
  | 'admin';

/** Least roles of the routes that a caller reaches; one with a role on a single bucket, those that name this bucket. */
const reaches: Readonly<Record<Caller, readonly LeastRole[]>> = {
  nobody: [],
  expired: [],
  unknown: [],
  'other project': ['none'],
  'other organization': ['none'],
  'on one bucket': ['none', 'any'],
  viewer: ['none', 'any', 'viewer'],
  contributor: ['none', 'any', 'viewer', 'contributor'],
  admin: ['none', 'any', 'viewer', 'contributor', 'admin'],
};
const onHisBucket: readonly LeastRole[] = ['none', 'any', 'viewer', 'contributor'];

const callers = [
  'nobody',
  'expired',
  'unknown',
  'other project',
  'other organization',
  'on one bucket',
  'viewer',
  'contributor',
  'admin',
] as const satisfies readonly Caller[];

beforeAll(async () => {
  api = startApi(database());
  const { registry } = api.world;
  const { bucket, version } = await api.world.lineWithVersion();
  ({ bucket: foreignBucket } = await api.world.lineWithVersion());
  await registry.tenancy.createProject({ project: 'other', organization: 'acme', by: ann });
  await registry.tenancy.createProject({ project: 'elsewhere', organization: 'nadir', by: ann });
  const { organizationId, projectId } = await hcpOf(api);
  names = {
    'location.organization_id': organizationId,
    'location.project_id': projectId,
    organization_id: organizationId,
    bucket_name: bucket,
    bucket_slug: bucket,
    fingerprint: version.fingerprint,
    build_id: version.builds[0]?.id ?? '',
    channel_name: 'dev',
    slug: 'dev',
    task_type: 'validation',
    id: projectId,
    resource_name: `packer/project/${projectId}/bucket/${bucket}`,
  };
  const expired = newAccessToken();
  const { clientId } = await api.ok('createPrincipal', { project, name: 'late', role: 'admin' });
  await registry.tokens.issue({ clientId, digest: expired.digest, lifeMs: -1_000 });
  tokens = {
    nobody: '',
    expired: expired.token,
    unknown: newAccessToken().token,
    'other project': await tokenIn('other'),
    'other organization': await tokenIn('elsewhere'),
    'on one bucket': await tokenOf(api, 'on-one', null, [{ bucket, role: 'contributor' }]),
    viewer: await tokenOf(api, 'viewer', 'viewer'),
    contributor: await tokenOf(api, 'contributor', 'contributor'),
    admin: await tokenOf(api, 'admin', 'admin'),
  };
});
afterAll(() => api.app.close());

/** Of an admin there, who has no role in the project of the tests. */
async function tokenIn(there: string): Promise<string> {
  const { registry } = api.world;
  const made = newAccessToken();
  const clientId = `bakehouse-${there.padEnd(26, '0').replaceAll(/[ilou]/g, 'z')}`;
  await registry.principals.create({
    id: `01ARZ3NDEKTSV4RRFFQ69G5F${there === 'other' ? 'AA' : 'AB'}`,
    project: there,
    name: `admin-of-${there}`,
    role: 'admin',
    buckets: [],
    secret: { clientId, digest: digestOf('unused') },
    by: ann,
  });
  await registry.tokens.issue({ clientId, digest: made.digest, lifeMs: 3_600_000 });
  return made.token;
}

const urlOf = ({ route }: HcpOperation, over: Readonly<Record<string, string>> = {}): string => {
  const path = route.path.replaceAll(/\{([\w.]+)\}/g, (_, name: string) =>
    encodeURIComponent(over[name] ?? names[name] ?? '01ARZ3NDEKTSV4RRFFQ69G5FAV'),
  );
  return 'resource_name' in route.query.shape
    ? `${path}?${new URLSearchParams({ resource_name: names['resource_name'] ?? '' }).toString()}`
    : path;
};

async function call(
  operation: HcpOperation,
  caller: Caller,
  over: Readonly<Record<string, string>> = {},
): Promise<{ readonly http: number; readonly body: { readonly code?: number; readonly message?: string } }> {
  const token = tokens[caller] ?? '';
  const answer = await api.app.inject({
    method: operation.route.method,
    url: urlOf(operation, over),
    headers: {
      'content-type': 'application/json',
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(operation.route.method === 'GET'
      ? {}
      : { payload: JSON.stringify({ resource_name: names['resource_name'] }) }),
  });
  return { http: answer.statusCode, body: answer.json() };
}

/** Refused for who calls: anything else is an answer to the call. */
const isRefused = (http: number): boolean => http === 401 || http === 403;

/** What takes something away comes last, so that those before it find something. */
const inOrder = (operations: readonly HcpOperation[]): readonly HcpOperation[] => [
  ...operations.filter(({ route }) => route.method !== 'DELETE'),
  ...operations.filter(({ route }) => route.method === 'DELETE'),
];

it('the table names every operation, and nothing else', () => {
  expect([...new Set(hcpOperations.map(({ route }) => route.operation))].toSorted()).toEqual(
    Object.keys(leastRoles).toSorted(),
  );
});

describe.each(callers)('%s', (caller) => {
  it('reaches what the table says, and is refused the rest', async () => {
    const wrong: string[] = [];
    for (const operation of inOrder(hcpOperations)) {
      const least = leastRoles[operation.route.operation] ?? 'admin';
      const isOnBucket = /\{bucket_(?:name|slug)\}/.test(operation.route.path);
      const reached = caller === 'on one bucket' && isOnBucket ? onHisBucket : reaches[caller];
      const expected = reached.includes(least);
      const { http, body } = await call(operation, caller);
      const what = `${operation.route.operation}: ${http} ${body.code ?? ''} ${body.message ?? ''}`;
      if (isRefused(http) === expected) wrong.push(what);
      // Every answer of 200 was checked against its descriptor, and a defect would show as this.
      if (http >= 500) wrong.push(what);
      if (isRefused(http)) expect([7, 16], what).toContain(body.code);
    }
    expect(wrong).toEqual([]);
  });
});

describe('a role on one bucket', () => {
  it('is none on another one', async () => {
    const onBucket = hcpOperations.filter(({ route }) => route.path.includes('{bucket_name}'));
    const reached: string[] = [];
    for (const operation of onBucket) {
      const { http } = await call(operation, 'on one bucket', { bucket_name: foreignBucket });
      if (!isRefused(http)) reached.push(operation.route.operation);
    }
    expect(reached).toEqual([]);
  });
});

describe('a project', () => {
  it('is found below its own organization only, and who has no role learns nothing of it', async () => {
    const located = hcpOperations.filter(({ route }) => route.path.includes('{location.project_id}'));
    const nowhere = '00000000-0000-4000-8000-000000000000';
    const reached: string[] = [];
    for (const operation of located) {
      // Webhooks are of a project alone.
      const written = ['location.organization_id', 'location.project_id'].filter((name) =>
        operation.route.path.includes(`{${name}}`),
      );
      for (const over of written.map((name) => ({ [name]: nowhere }))) {
        const { http } = await call(operation, 'admin', over);
        if (http !== 403) reached.push(`${operation.route.operation} ${JSON.stringify(over)}: ${http}`);
      }
    }
    expect(reached).toEqual([]);
  });
});
