import { describe, expect, it } from 'vitest';
import { openApi } from '../../scripts/docs/open-api.ts';
import { pathNames } from '../../src/http/descriptors/path.ts';
import type { Route } from '../../src/http/descriptors/route.ts';
import { routes } from '../../src/http/descriptors/routes.ts';

const all = Object.entries<Route>(routes);

describe('the descriptors', () => {
  it('have one operation for each method and path', () => {
    const places = all.map(([, { method, path }]) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`);

    expect(places.filter((place, at) => places.indexOf(place) < at)).toEqual([]);
  });

  it('never use a name of the path for a field: callers give both in one object', () => {
    const doubled = all.flatMap(([name, { path, input }]) =>
      pathNames(path)
        .filter((key) => key in input.shape)
        .map((key) => `${name}.${key}`),
    );

    expect(doubled).toEqual([]);
  });

  it('let viewers read only, and ask everybody else for a role that may write', () => {
    const wrong = all
      .filter(
        ([name, { method, role }]) => (method === 'GET') !== (role === 'viewer') && name !== 'planLines',
      )
      .map(([name]) => name);

    expect(wrong).toEqual([]);
  });

  it('become an OpenAPI document in which every reference leads somewhere', () => {
    const document = openApi();
    const text = JSON.stringify(document);
    const wanted = new Set([...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map((match) => match[1]));

    expect([...wanted].filter((name) => !Object.hasOwn(document.components.schemas, name ?? ''))).toEqual([]);
    expect(text).not.toContain('#/$defs/');
    expect(Object.values(document.paths).flatMap((path) => Object.keys(path))).toHaveLength(all.length);
  });
});
