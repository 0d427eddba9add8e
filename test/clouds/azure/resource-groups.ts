/**
 * Subscriptions, resource groups, and the list of resources.
 * https://learn.microsoft.com/rest/api/resources/resource-groups and https://learn.microsoft.com/rest/api/resources/resources/list
 */
import type { Cloud } from './cloud.ts';
import { groupId, region } from './ids.ts';
import type { Call, Route } from './routes.ts';
import { ArmError } from './wire.ts';
import type { Envelope, Reply, Resource } from './wire.ts';

const type = 'Microsoft.Resources/resourceGroups';
const one = '/subscriptions/:subscription/resourceGroups/:group';

export const groupRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/subscriptions',
    handle: ({ cloud, client }) => ({
      status: 200,
      body: {
        value: cloud.subscriptions
          .filter((id) => client.subscriptions?.includes(id) ?? true)
          .map((id) => subscription(cloud, id)),
      },
    }),
  },
  {
    method: 'GET',
    path: '/subscriptions/:subscription',
    handle: ({ cloud, params }) => ({ status: 200, body: subscription(cloud, params['subscription'] ?? '') }),
  },
  { method: 'PUT', path: one, handle: (call) => write(call) },
  { method: 'PATCH', path: one, handle: (call) => write(call) },
  { method: 'GET', path: one, handle: (call) => ({ status: 200, body: found(call) }) },
  {
    method: 'GET',
    path: '/subscriptions/:subscription/resourceGroups',
    handle: ({ cloud, params, query }) => ({
      status: 200,
      body: { value: cloud.list(type, `/subscriptions/${params['subscription']}`).filter(filter(query)) },
    }),
  },
  { method: 'DELETE', path: one, handle: remove },
  {
    method: 'GET',
    path: '/subscriptions/:subscription/resources',
    handle: (call) => resources(call, `/subscriptions/${call.params['subscription']}`),
  },
  { method: 'GET', path: `${one}/resources`, handle: (call) => resources(call, found(call).id) },
  {
    method: 'GET',
    path: '/subscriptions/:subscription/operationresults/:operation',
    handle: ({ cloud, params }) => {
      const operation = cloud.operations.get(params['operation'] ?? '');
      if (operation.status !== 'InProgress') return { status: 200 };
      return { status: 202, headers: groupPoll(cloud, params['subscription'] ?? '', operation.id) };
    },
  },
];

function subscription(cloud: Cloud, id: string): object {
  return {
    id: `/subscriptions/${id}`,
    subscriptionId: id,
    tenantId: cloud.tokens.tenantId,
    displayName: `Subscription ${cloud.subscriptions.indexOf(id) + 1}`,
    state: 'Enabled',
  };
}

function found({ cloud, params }: Call): Resource<object> {
  const group = cloud.find<object>(groupId(params['subscription'] ?? '', params['group'] ?? ''));
  if (group === undefined)
    throw new ArmError(
      404,
      'ResourceGroupNotFound',
      `Resource group '${params['group']}' could not be found.`,
    );
  return group;
}

function write(call: Call): Reply {
  const { cloud, params } = call;
  const sent = (call.body ?? {}) as Envelope;
  const id = groupId(params['subscription'] ?? '', params['group'] ?? '');
  const before = call.method === 'PATCH' ? found(call) : cloud.find<object>(id);
  if (before?.properties.provisioningState === 'Deleting')
    cloud.requireGroup(params['subscription'] ?? '', params['group'] ?? '');
  const location = sent.location ?? before?.location;
  if (location === undefined)
    throw new ArmError(400, 'LocationRequired', 'The location property is required for this definition.');
  if (before?.location !== undefined && region(location) !== before.location)
    throw new ArmError(
      409,
      'InvalidResourceGroupLocation',
      `Invalid resource group location '${location}'. The Resource group already exists in location '${before.location}'.`,
    );
  const group: Resource<object> = {
    id: before?.id ?? id,
    name: before?.name ?? params['group'] ?? '',
    type,
    location: region(location),
    tags: sent.tags ?? (call.method === 'PATCH' ? before?.tags : undefined) ?? {},
    properties: { provisioningState: 'Succeeded' },
  };
  cloud.put(group);
  return { status: before === undefined ? 201 : 200, body: group };
}

/** What is in the group goes with it, in whatever order; nothing in it can refuse. */
function remove(call: Call): Reply {
  const { cloud, params } = call;
  const group = found(call);
  const subscriptionId = params['subscription'] ?? '';
  const running = cloud.running(group.id);
  if (running !== undefined) return { status: 202, headers: groupPoll(cloud, subscriptionId, running.id) };
  group.properties.provisioningState = 'Deleting';
  const operation = cloud.operations.start({
    subscription: subscriptionId,
    namespace: 'Microsoft.Resources',
    location: group.location ?? '',
    delayMs: cloud.delays.groupDelete,
    finish: () => cloud.remove(group.id),
  });
  cloud.run(group.id, operation);
  return { status: 202, headers: groupPoll(cloud, subscriptionId, operation.id) };
}

const groupPoll = (cloud: Cloud, subscriptionId: string, id: string): Readonly<Record<string, string>> => ({
  location: `${cloud.endpoint}/subscriptions/${subscriptionId}/operationresults/${id}?api-version=2025-04-01`,
  'retry-after': String(cloud.delays.retryAfterSeconds),
});

/** Tracked resources, which are those that have a place: image versions are, subnets are not. */
function resources({ cloud, query }: Call, below: string): Reply {
  const wanted = filter(query);
  const value = cloud
    .all(below)
    .filter((resource) => resource.type !== type && resource.location !== undefined && wanted(resource))
    .map(({ id, name, type: kind, location, tags }) => ({
      id,
      name:
        id
          .split('/providers/')[1]
          ?.split('/')
          .filter((_, index) => index > 0 && index % 2 === 0)
          .join('/') ?? name,
      type: kind,
      location,
      ...(tags !== undefined && { tags }),
    }));
  return { status: 200, body: { value } };
}

/** `tagName eq 'a' and tagValue eq 'b'`, `resourceType eq '…'`, `name eq '…'`; other filters are refused rather than ignored. */
function filter(query: URLSearchParams): (resource: Resource<object>) => boolean {
  const text = query.get('$filter');
  if (text === null || text === '') return () => true;
  const wanted = new Map<string, string>();
  for (const term of text.split(/\s+and\s+/i)) {
    const [, field, value] =
      /^(tagName|tagValue|resourceType|name|location|resourceGroup)\s+eq\s+'((?:[^']|'')*)'$/i.exec(
        term.trim(),
      ) ?? [];
    if (field === undefined || value === undefined)
      throw new ArmError(
        400,
        'InvalidFilterInQueryString',
        `Invalid $filter '${text}' specified in the query string.`,
      );
    wanted.set(field.toLowerCase(), value.replaceAll("''", "'"));
  }
  if (wanted.has('tagvalue') && !wanted.has('tagname'))
    throw new ArmError(
      400,
      'InvalidFilterInQueryString',
      `Invalid $filter '${text}' specified in the query string.`,
    );
  return (resource) => {
    const tag = Object.entries(resource.tags ?? {}).find(
      ([name]) => name.toLowerCase() === wanted.get('tagname')?.toLowerCase(),
    );
    return (
      (!wanted.has('tagname') || tag !== undefined) &&
      (!wanted.has('tagvalue') || tag?.[1] === wanted.get('tagvalue')) &&
      (wanted.get('resourcetype') ?? resource.type).toLowerCase() === resource.type.toLowerCase() &&
      (wanted.get('name') ?? resource.name).toLowerCase() === resource.name.toLowerCase() &&
      region(wanted.get('location') ?? resource.location ?? '') === (resource.location ?? '') &&
      resource.id
        .toLowerCase()
        .includes(
          wanted.has('resourcegroup') ? `/resourcegroups/${wanted.get('resourcegroup')?.toLowerCase()}/` : '',
        )
    );
  };
}
