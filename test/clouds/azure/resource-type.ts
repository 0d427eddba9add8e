/** What all types of resources have in common: create, change, read, list and delete, as ARM does it. */
import type { Cloud } from './cloud.ts';
import { key, notFound, region } from './ids.ts';
import { pollHeaders } from './operations.ts';
import type { Operation } from './operations.ts';
import type { Call, Route } from './routes.ts';
import { ArmError } from './wire.ts';
import type { Envelope, Reply, Resource } from './wire.ts';

export interface Work {
  readonly delayMs: number;
  finish?(): unknown;
}

export interface ResourceType<P extends object> {
  /** `Microsoft.Compute/galleries/images`. */
  readonly type: string;
  /** Resources without a place of their own (subnets). */
  readonly placeless?: boolean;
  /** Completes and checks what is to be written, in place; says how long it takes. `before`: what is replaced. */
  prepare(call: Call, draft: Resource<P>, before: Resource<P> | undefined, sent: Envelope<P>): Work;
  /** Throws where the cloud refuses to delete; says how long it takes and what goes with it. */
  remove?(call: Call, resource: Resource<P>): Work;
  view?(call: Call, resource: Resource<P>): Resource<object>;
}

export function routesOf<P extends object>(kind: ResourceType<P>): readonly Route[] {
  const [namespace = '', ...types] = kind.type.split('/');
  const names = types.map((_, index) => (index === types.length - 1 ? ':name' : `:parent${index}`));
  const tail = types.map((type, index) => `${type}/${names[index]}`).join('/');
  const group = '/subscriptions/:subscription/resourceGroups/:group';
  const item = `${group}/providers/${namespace}/${tail}`;
  const view = (call: Call, one: Resource<P>): Resource<object> => kind.view?.(call, one) ?? one;
  const list = (call: Call, below: string): Reply => ({
    status: 200,
    body: {
      value: call.cloud
        .list<P>(kind.type, below)
        .map((one) => view({ ...call, query: new URLSearchParams() }, one)),
    },
  });
  const routes: Route[] = [
    { method: 'PUT', path: item, handle: (call) => write(kind, call) },
    { method: 'PATCH', path: item, handle: (call) => write(kind, call) },
    {
      method: 'GET',
      path: item,
      handle: (call) => ({ status: 200, body: view(call, call.cloud.get<P>(call.path)) }),
    },
    { method: 'DELETE', path: item, handle: (call) => remove(kind, call) },
    {
      method: 'GET',
      path: item.replace('/:name', ''),
      handle: (call) => {
        const below = types.length > 1 ? call.path.split('/').slice(0, -1).join('/') : groupOf(call.path);
        if (types.length > 1 && call.cloud.find(below) === undefined) throw notFound(below);
        if (types.length === 1)
          call.cloud.requireGroup(call.params['subscription'] ?? '', call.params['group'] ?? '');
        return list(call, below);
      },
    },
  ];
  if (types.length === 1)
    routes.push({
      method: 'GET',
      path: `/subscriptions/:subscription/providers/${namespace}/${types[0]}`,
      handle: (call) => list(call, `/subscriptions/${call.params['subscription']}`),
    });
  return routes;
}

const groupOf = (path: string): string => path.split('/').slice(0, 5).join('/');

function write<P extends object>(kind: ResourceType<P>, call: Call): Reply {
  const { cloud, path } = call;
  const sent = (call.body ?? {}) as Envelope<P>;
  cloud.requireGroup(call.params['subscription'] ?? '', call.params['group'] ?? '');
  cloud.requireParent(path);
  const before = cloud.find<P>(path);
  if (before === undefined && call.method === 'PATCH') throw notFound(path);
  if (cloud.running(path) !== undefined)
    throw new ArmError(
      409,
      'Conflict',
      `The request failed due to conflict with a concurrent request to '${path}'. Another operation on it is in progress.`,
    );
  const draft = drafted(kind, call, sent, before);
  const work = kind.prepare(call, draft, before, sent);
  draft.properties.provisioningState = before === undefined ? 'Creating' : 'Updating';
  cloud.put(draft);
  const settle = (state: string): void => {
    if (cloud.find(draft.id) === draft) draft.properties.provisioningState = state;
  };
  const operation = begin(call, draft, {
    delayMs: work.delayMs,
    finish: async () => {
      await work.finish?.();
      settle('Succeeded');
    },
    failed: () => settle('Failed'),
    result: () => kind.view?.(call, draft) ?? draft,
  });
  return {
    status: before === undefined ? 201 : 200,
    headers: pollHeaders(operation, cloud.endpoint, cloud.delays.retryAfterSeconds),
    body: kind.view?.(call, draft) ?? draft,
  };
}

function drafted<P extends object>(
  kind: ResourceType<P>,
  call: Call,
  sent: Envelope<P>,
  before: Resource<P> | undefined,
): Resource<P> {
  const name = call.params['name'] ?? '';
  const location = sent.location === undefined ? before?.location : region(sent.location);
  if (kind.placeless !== true && location === undefined)
    throw new ArmError(400, 'LocationRequired', `The location property is required for this definition.`);
  if (before?.location !== undefined && location !== before.location)
    throw new ArmError(
      409,
      'InvalidResourceLocation',
      `The resource '${name}' already exists in location '${before.location}' in resource group '${call.params['group']}'. A resource with the same name cannot be created in location '${location}'. Please select a new resource name.`,
    );
  const patch = call.method === 'PATCH';
  const old = patch ? before : undefined;
  const properties = merged(old?.properties ?? {}, sent.properties ?? {});
  return {
    ...old,
    id: before?.id ?? call.path,
    name: before?.name ?? name,
    type: kind.type,
    ...(location !== undefined && kind.placeless !== true && { location }),
    ...((sent.tags ?? old?.tags) !== undefined && { tags: sent.tags ?? old?.tags ?? {} }),
    ...(sent.plan !== undefined && { plan: sent.plan }),
    ...(sent.sku !== undefined && { sku: sent.sku }),
    ...(sent.identity !== undefined && { identity: sent.identity }),
    ...(sent.zones !== undefined && { zones: sent.zones }),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type's `prepare` fills in and checks what was not sent.
    properties: structuredClone(properties) as P,
  };
}

/** JSON merge of objects; arrays are replaced. */
function merged(old: object, sent: object): object {
  const result: Record<string, unknown> = { ...old };
  for (const [name, value] of Object.entries(sent)) {
    const was = result[name];
    result[name] = isObject(value) && isObject(was) ? merged(was, value) : value;
  }
  return result;
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Deletion is asynchronous; deleting what is being deleted joins it, and deleting what is not there is 204. */
function remove<P extends object>(kind: ResourceType<P>, call: Call): Reply {
  const { cloud, path } = call;
  const resource = cloud.find<P>(path);
  if (resource === undefined) return { status: 204 };
  const running = resource.properties.provisioningState === 'Deleting' ? cloud.running(path) : undefined;
  if (running !== undefined) return accepted(call, running);
  const work = kind.remove?.(call, resource) ?? { delayMs: cloud.delays.delete };
  const state = resource.properties.provisioningState ?? 'Succeeded';
  resource.properties.provisioningState = 'Deleting';
  return accepted(
    call,
    begin(call, resource, {
      delayMs: work.delayMs,
      finish: async () => {
        await work.finish?.();
        if (cloud.find(path) === resource) cloud.remove(path);
      },
      failed: () => (resource.properties.provisioningState = state),
    }),
  );
}

export function accepted(call: Call, operation: Operation): Reply {
  return {
    status: 202,
    headers: pollHeaders(operation, call.cloud.endpoint, call.cloud.delays.retryAfterSeconds),
  };
}

/** Starts a long-running operation on a resource; another one that changes it is refused until this has ended. */
export function begin(
  call: Call,
  resource: Resource<object>,
  work: { readonly delayMs: number; finish(): unknown; failed?(error: ArmError): void; result?(): unknown },
): Operation {
  const operation = call.cloud.operations.start({
    subscription: call.params['subscription'] ?? '',
    namespace: resource.type.split('/')[0] ?? '',
    location: resource.location ?? 'global',
    ...work,
  });
  call.cloud.run(resource.id, operation);
  return operation;
}

/** Ids of resources that refer to this one, wherever in their properties. */
export function referrers(cloud: Cloud, type: string, id: string): readonly Resource<object>[] {
  const quoted = `"${key(id)}"`;
  return cloud.list<object>(type).filter((one) => key(JSON.stringify(one.properties)).includes(quoted));
}
