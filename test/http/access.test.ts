import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pathNames } from '../../src/http/descriptors/path.ts';
import { roles } from '../../src/http/descriptors/route.ts';
import type { Route } from '../../src/http/descriptors/route.ts';
import { routes } from '../../src/http/descriptors/routes.ts';
import { project } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import { addressOf, startApi, strangerToken, tokens } from './support/api.ts';
import type { Api } from './support/api.ts';

const database = useDatabase();
let api: Api;

beforeAll(() => {
  api = startApi(database());
});
afterAll(() => api.app.close());

const table = Object.entries<Route>(routes).map(([name, descriptor]) => ({ name, descriptor }));

/** The refusal of a call that names things which do not exist: only who may call matters here. */
async function codeOf(descriptor: Route, token: string): Promise<number | undefined> {
  const named = Object.fromEntries(pathNames(descriptor.path).map((name) => [name, 'nothing']));
  const { url } = addressOf(descriptor, { ...named, project });
  return (await api.raw(descriptor.method, url, {}, token)).code;
}

describe('who may call what', () => {
  it.each(table)('$name: nobody without a token that is known', async ({ descriptor }) => {
    expect(await codeOf(descriptor, '')).toBe(16);
    expect(await codeOf(descriptor, 'token-x')).toBe(16);
    expect(await codeOf(descriptor, `${tokens.admin}x`)).toBe(16);
  });

  it.each(table)('$name: nobody of another project', async ({ descriptor }) => {
    expect(await codeOf(descriptor, strangerToken)).toBe(7);
  });

  it.each(table)('$name: exactly the roles from its own upwards', async ({ descriptor }) => {
    for (const role of roles) {
      const allowed = roles.indexOf(role) >= roles.indexOf(descriptor.role);
      const code = await codeOf(descriptor, tokens[role]);
      if (allowed) expect(code).not.toBe(7);
      else expect(code).toBe(7);
      expect(code).not.toBe(16);
    }
  });

  it('says which role is needed and which is held', async () => {
    const answer = await api.call('applyLines', { project, lines: [] }, tokens.viewer);

    expect(answer).toMatchObject({ status: 403, code: 7, reason: 'permission_denied' });
    expect(answer.message).toBe(
      `viewer may not do this: it needs the role admin in project ${project}, and has viewer`,
    );
  });

  it('is asked before the body is read', async () => {
    const big = JSON.stringify({ files: { a: 'A'.repeat(6 * 1024 * 1024) } });

    const answer = await api.raw('PUT', `/api/v1/projects/${project}/templates/x`, big, 'token-x');
    expect(answer).toMatchObject({ status: 401, code: 16 });
  });
});
