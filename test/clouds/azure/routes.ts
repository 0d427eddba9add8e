/** Which handler answers a method and path. ARM compares paths without case. */
import type { Cloud } from './cloud.ts';
import { ArmError } from './wire.ts';
import type { Reply } from './wire.ts';
import type { Client } from './tokens.ts';

export interface Call {
  readonly cloud: Cloud;
  readonly method: string;
  /** As it was sent, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The JSON that was sent; the handler's type says what it reads from it, all of which may be missing. */
  readonly body: unknown;
  readonly params: Readonly<Record<string, string>>;
  readonly client: Client;
}

export type Method = 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';

export interface Route {
  readonly method: Method;
  /** `/subscriptions/:subscription/resourceGroups/:group/…` */
  readonly path: string;
  handle(call: Call): Reply | Promise<Reply>;
}

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

export function router(routes: readonly Route[]): (method: string, path: string) => Match {
  const compiled = routes.map((route) => ({
    route,
    pattern: new RegExp(
      `^${route.path.replaceAll('.', String.raw`\.`).replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}/?$`,
      'i',
    ),
  }));
  return (method, path) => {
    for (const { route, pattern } of compiled) {
      const match = route.method === method ? pattern.exec(path) : null;
      if (match !== null) return { route, params: decoded(match.groups ?? {}) };
    }
    throw new ArmError(
      404,
      'InvalidResourceType',
      `The resource type could not be found in the namespace for '${method} ${path}'.`,
    );
  };
}

function decoded(groups: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]));
}

/** The operation as the switchboard names it, and the action as access control does. */
export function nameOf(route: Route): { readonly operation: string; readonly action: string } {
  const [, namespace = 'Microsoft.Resources', tail = ''] =
    /^.*\/providers\/([^/]+)\/(.+)$/.exec(route.path) ?? [];
  const types = tail.split('/').filter((part) => part !== '' && part !== 'default' && !part.startsWith(':'));
  const verb = { GET: 'read', PUT: 'write', PATCH: 'write', DELETE: 'delete', POST: 'action' }[route.method];
  if (tail !== '') {
    if (types.includes('operations'))
      return { operation: `${route.method} operations`, action: `${namespace}/locations/operations/read` };
    return {
      operation: `${route.method} ${types.join('/')}`,
      action: `${namespace}/${types.join('/')}/${verb}`,
    };
  }
  const last = route.path.split('/').findLast((part) => part !== '' && !part.startsWith(':')) ?? '';
  const type = last === 'subscriptions' ? last : `subscriptions/${last}`;
  return { operation: `${route.method} ${last}`, action: `${namespace}/${type}/${verb}` };
}
