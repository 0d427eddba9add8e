/** Resource ids: `/subscriptions/s/resourceGroups/g/providers/Namespace/type/name/type/name`, compared without case. */
import { ArmError } from './wire.ts';

export interface ParsedId {
  readonly subscription: string;
  readonly group: string;
  /** `Microsoft.Compute/galleries/images`. */
  readonly type: string;
  /** `gallery/image`, as the messages of ARM name a nested resource. */
  readonly names: readonly string[];
}

export const key = (id: string): string => id.toLowerCase();

export const same = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && other !== undefined && key(one) === key(other);

/** `West US` and `westus` name one region: ARM answers the short form. */
export const region = (name: string): string => name.toLowerCase().replaceAll(/\s/g, '');

export const groupId = (subscription: string, group: string): string =>
  `/subscriptions/${subscription}/resourceGroups/${group}`;

export function parseId(id: string): ParsedId {
  const match = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/([^/]+)\/(.+)$/i.exec(id);
  const [, subscription = '', group = '', namespace = '', rest = ''] = match ?? [];
  const parts = rest.split('/');
  if (match === null || parts.length % 2 !== 0 || parts.includes(''))
    throw new ArmError(
      400,
      'LinkedInvalidPropertyId',
      `Property id '${id}' at path 'id' is invalid. Expect fully qualified resource Id that start with '/subscriptions/{subscriptionId}'.`,
    );
  return {
    subscription,
    group,
    type: [namespace, ...parts.filter((_, index) => index % 2 === 0)].join('/'),
    names: parts.filter((_, index) => index % 2 === 1),
  };
}

/** `galleries/g/images/i`, as in "The Resource 'Microsoft.Compute/galleries/g/images/i' under resource group …". */
export function shortName(id: string): string {
  return id.replace(/^.*\/providers\//i, '');
}

export function notFound(id: string): ArmError {
  const group = /\/resourceGroups\/([^/]+)/i.exec(id)?.[1] ?? '';
  return new ArmError(
    404,
    'ResourceNotFound',
    `The Resource '${shortName(id)}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
}
