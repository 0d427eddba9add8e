/** Tags of a resource, changed one by one. https://learn.microsoft.com/rest/api/resources/tags/update-at-scope */
import type { Call, Route } from './routes.ts';
import { ArmError } from './wire.ts';
import type { Reply } from './wire.ts';

interface Patch {
  readonly operation?: string;
  readonly properties?: { readonly tags?: Readonly<Record<string, string>> };
}

const mostTags = 50;
const longestValue = 256;

function patch({ cloud, path, body }: Call): Reply {
  const resource = cloud.get<object>(path.replace(/\/providers\/Microsoft\.Resources\/tags\/default$/i, ''));
  const { operation, properties: { tags: sent = {} } = {} } = (body ?? {}) as Patch;
  const before = resource.tags ?? {};
  const tags = operation === 'Delete' ? without(before, sent) : merged(operation, before, sent);
  if (Object.keys(tags).length > mostTags)
    throw new ArmError(
      400,
      'InvalidTagCount',
      `The resource has ${Object.keys(tags).length} tags, and may have ${mostTags}.`,
    );
  const long = Object.entries(tags).find(([, value]) => value.length > longestValue);
  if (long !== undefined)
    throw new ArmError(
      400,
      'InvalidTagValue',
      `The value of the tag '${long[0]}' has more than ${longestValue} characters.`,
    );
  resource.tags = tags;
  return {
    status: 200,
    body: { id: path, name: 'default', type: 'Microsoft.Resources/tags', properties: { tags } },
  };
}

function merged(
  operation: string | undefined,
  before: Readonly<Record<string, string>>,
  sent: Readonly<Record<string, string>>,
): Record<string, string> {
  if (operation === 'Merge') return { ...before, ...sent };
  if (operation === 'Replace') return { ...sent };
  throw new ArmError(400, 'InvalidTagsPatchOperation', `The operation '${operation}' is not supported.`);
}

/** By name and value: another value stays. */
function without(
  before: Readonly<Record<string, string>>,
  sent: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(before).filter(([name, value]) => sent[name] !== value));
}

export const tagRoutes: readonly Route[] = [
  {
    method: 'PATCH',
    path: '/subscriptions/:subscription/resourceGroups/:group/providers/Microsoft.Compute/galleries/:gallery/images/:image/providers/Microsoft.Resources/tags/default',
    handle: patch,
  },
];
