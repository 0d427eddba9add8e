/** Scale sets, as users of an image: each scale-out resolves the model's reference again. https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-sets */
import type { ImageReference } from '@azure/arm-compute';
import type { Cloud } from '../cloud.ts';
import { routesOf } from '../resource-type.ts';
import type { ResourceType } from '../resource-type.ts';
import type { Route } from '../routes.ts';
import { ArmError } from '../wire.ts';
import type { Resource, Wire } from '../wire.ts';
import { resolveImage } from './image-reference.ts';

interface ScaleSet {
  upgradePolicy?: object;
  orchestrationMode?: string;
  virtualMachineProfile?: { storageProfile?: { imageReference?: Wire<ImageReference> } };
}

interface Instance {
  readonly instanceId: string;
  readonly reference: Wire<ImageReference>;
}

const instances = Symbol('instances');

const type = 'Microsoft.Compute/virtualMachineScaleSets';

const instancesOf = (cloud: Cloud, id: string): readonly Instance[] =>
  cloud.hidden<Instance[]>(id, instances) ?? [];

const scaleSet: ResourceType<ScaleSet> = {
  type,
  prepare(call, draft, before) {
    const { cloud } = call;
    const reference = draft.properties.virtualMachineProfile?.storageProfile?.imageReference;
    draft.properties = { orchestrationMode: 'Uniform', ...draft.properties };
    draft.sku = { ...before?.sku, ...draft.sku };
    const { capacity = 0 } = draft.sku as { readonly capacity?: number };
    if (reference === undefined)
      throw new ArmError(
        400,
        'InvalidParameter',
        "Required parameter 'virtualMachineProfile' is missing (null).",
      );
    const present = instancesOf(cloud, draft.id);
    const wanted = present.slice(0, capacity);
    if (capacity > present.length) {
      const image = resolveImage(call, reference, draft.location ?? '', draft.plan ?? before?.plan);
      const next = 1 + Math.max(-1, ...present.map((one) => Number(one.instanceId)));
      for (let index = 0; index < capacity - present.length; index += 1)
        wanted.push({ instanceId: String(next + index), reference: image.reference });
    }
    return { delayMs: cloud.delays.write, finish: () => cloud.hide(draft.id, instances, wanted) };
  },
};

function view(set: Resource<ScaleSet>, { instanceId, reference }: Instance): object {
  return {
    id: `${set.id}/virtualMachines/${instanceId}`,
    name: `${set.name}_${instanceId}`,
    instanceId,
    type: `${type}/virtualMachines`,
    location: set.location,
    properties: {
      latestModelApplied: true,
      provisioningState: 'Succeeded',
      storageProfile: { imageReference: reference },
    },
  };
}

export const scaleSetRoutes: readonly Route[] = [
  ...routesOf(scaleSet),
  {
    method: 'GET',
    path: `/subscriptions/:subscription/resourceGroups/:group/providers/${type}/:name/virtualMachines`,
    handle({ cloud, path }) {
      const set = cloud.get<ScaleSet>(path.replace(/\/virtualMachines$/i, ''));
      return { status: 200, body: { value: instancesOf(cloud, set.id).map((one) => view(set, one)) } };
    },
  },
];
