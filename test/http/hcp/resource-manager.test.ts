import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ann, project } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import { z } from 'zod';
import { operatorName } from '../../../src/domain/actor.ts';
import { firstOf, servicePrincipals, tokenPrincipals } from '../../../src/http/principals.ts';
import { createRegistry } from '../../../src/registry/create-registry.ts';
import type { Api } from '../support/api.ts';
import { startApi, tokens } from '../support/api.ts';
import { tokenOf } from '../support/token-of.ts';

const database = useDatabase();
const prefix = '/resource-manager/2019-12-10';
/** Of the installation. */
const operator = tokens.admin;
let api: Api;
let ours: { readonly id: string; readonly organization: { readonly id: string } };
let theirs: { readonly id: string; readonly organization: { readonly id: string } };
let token: string;
let bucketToken: string;

beforeAll(async () => {
  const registry = createRegistry(database().store);
  api = startApi(database(), {
    principals: firstOf(
      tokenPrincipals([{ name: operatorName, token: operator, role: 'admin' }]),
      servicePrincipals(registry.tokens),
    ),
  });
  for (const [name, organization] of [
    [project, 'acme'],
    ['second', 'acme'],
    ['foreign', 'globex'],
  ] as const) {
    await registry.tenancy.createProject({ project: name, organization, by: ann });
  }
  ours = await registry.tenancy.project(project);
  theirs = await registry.tenancy.project('foreign');
  token = await tokenOf(api, 'reader', 'viewer');
  const bucket = await api.world.line();
  bucketToken = await tokenOf(api, 'one-bucket', null, [{ bucket, role: 'viewer' }]);
});
afterAll(() => api.app.close());

const get = (path: string, by = token) => api.raw('GET', `${prefix}${path}`, undefined, by);
const scope = (id: string): string => `scope.id=${id}&scope.type=ORGANIZATION`;

describe('organizations', () => {
  it('are the one of the caller, and all of them for the installation', async () => {
    expect(await get('/organizations')).toMatchObject({
      status: 200,
      body: {
        organizations: [
          { id: ours.organization.id, name: 'acme', state: 'ACTIVE', created_at: expect.any(String) },
        ],
        pagination: { next_page_token: '', previous_page_token: '' },
      },
    });
    expect(await get('/organizations', operator)).toMatchObject({
      body: { organizations: [{ name: 'acme' }, { name: 'globex' }] },
    });
    expect(await get('/organizations', '')).toMatchObject({ status: 401, code: 16 });
  });
});

describe('projects', () => {
  it('are listed where the caller has a role, if only on a bucket', async () => {
    for (const by of [token, bucketToken]) {
      expect(await get(`/projects?${scope(ours.organization.id)}`, by)).toMatchObject({
        status: 200,
        body: {
          projects: [
            {
              id: ours.id,
              name: project,
              state: 'ACTIVE',
              parent: { id: ours.organization.id, type: 'ORGANIZATION' },
            },
          ],
        },
      });
    }
    expect(await get(`/projects?${scope(ours.organization.id)}`, operator)).toMatchObject({
      body: { projects: [{ name: project }, { name: 'second' }] },
    });
    expect(await get('/projects', operator)).toMatchObject({
      body: { projects: [{ name: project }, { name: 'second' }, { name: 'foreign' }] },
    });
  });

  it('are told to nobody of another organization', async () => {
    expect(await get(`/projects?${scope(theirs.organization.id)}`)).toMatchObject({ status: 403, code: 7 });
    expect(await get(`/projects?${scope('nowhere')}`)).toMatchObject({ status: 403, code: 7 });
    expect(await get(`/projects?${scope('nowhere')}`, operator)).toMatchObject({ status: 404, code: 5 });
    expect(await get('/projects?scope.type=PROJECT')).toMatchObject({ status: 400, code: 3 });
  });

  it('are read one by one, as Terraform does, and closed ones are as absent ones', async () => {
    const { status, body } = await get(`/projects/${ours.id.toUpperCase()}`);

    expect(status).toBe(200);
    expect(body).toMatchObject({ project: { id: ours.id, parent: { id: ours.organization.id } } });
    const second = (await api.world.registry.tenancy.project('second')).id;
    for (const id of [second, theirs.id, 'absent']) {
      expect(await get(`/projects/${id}`)).toMatchObject({ status: 403, code: 7 });
    }
    expect(await get(`/projects/${theirs.id}`, operator)).toMatchObject({ status: 200 });
    expect(await get('/projects/absent', operator)).toMatchObject({ status: 404, code: 5 });
  });

  it('are older than the clock of any client, in their order', async () => {
    const { body } = await get('/projects', operator);
    const { projects } = z.object({ projects: z.array(z.object({ created_at: z.string() })) }).parse(body);
    const now = Date.parse(await api.world.registry.now());

    const ages = projects.map(({ created_at }) => now - Date.parse(created_at));
    expect(Math.min(...ages)).toBeGreaterThan(86_000_000);
    expect(ages).toEqual(ages.toSorted((one, other) => other - one));
  });
});
