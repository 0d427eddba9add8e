import { z } from 'zod';
import { hcpRoute, registryPrefix } from '../route.ts';
import { given, registry, registryChange, runTaskBehaviour, tier } from '../schemas/registry.ts';
import { flag, nothing, text } from '../values.ts';

const path = `${registryPrefix}/registry` as const;
const runTasks = `${registryPrefix}/runtasks` as const;
const configReply = z.strictObject({ on_untracked_image: runTaskBehaviour });

export const registryRoutes = {
  GetRegistry: hcpRoute({
    method: 'GET',
    path,
    operation: 'GetRegistry',
    summary: 'The registry of the project, which every project has from its start.',
    role: 'any',
    whenDeactivated: 'answers',
    query: nothing,
    body: nothing,
    reply: z.strictObject({ registry }),
    errors: [],
  }),
  CreateRegistry: hcpRoute({
    method: 'PUT',
    path,
    operation: 'CreateRegistry',
    summary:
      'Activates a registry that is deactivated; one that is activated with the same tier stays as it is.',
    role: 'admin',
    whenDeactivated: 'answers',
    query: nothing,
    body: z.object({ feature_tier: given(tier) }),
    reply: registryChange,
    errors: ['already_exists'],
  }),
  UpdateRegistry: hcpRoute({
    method: 'PATCH',
    path,
    operation: 'UpdateRegistry',
    summary:
      'Activates or deactivates the registry (`activated`, where `update_mask` names it) and sets its tier, on which nothing of ours hangs.',
    role: 'admin',
    whenDeactivated: 'answers',
    query: nothing,
    body: z.object({ activated: flag, feature_tier: given(tier), update_mask: text(1000) }),
    reply: registryChange,
    errors: [],
  }),
  DeleteRegistry: hcpRoute({
    method: 'DELETE',
    path,
    operation: 'DeleteRegistry',
    summary:
      "Deactivates the registry: all of these operations are refused until it is activated again, but for those that say otherwise. All that is in it is kept, and the own API, Bakehouse's bakes, with the Packer that publishes in them, and revocations go on.",
    role: 'admin',
    whenDeactivated: 'answers',
    query: nothing,
    body: nothing,
    reply: registryChange,
    errors: [],
  }),
  GetRegistryTFCRunTaskAPI: hcpRoute({
    method: 'GET',
    path: `${runTasks}/{task_type}`,
    operation: 'GetRegistryTFCRunTaskAPI',
    summary:
      'Where run tasks of HCP Terraform are sent to, and the key that signs them. The only type is `validation`.',
    role: 'admin',
    query: nothing,
    body: nothing,
    reply: z.strictObject({ api_url: z.url(), hmac_key: z.string() }),
    errors: ['not_found'],
  }),
  RegenerateTFCRunTaskHmacKey: hcpRoute({
    method: 'PATCH',
    path: `${runTasks}/hmac`,
    operation: 'RegenerateTFCRunTaskHmacKey',
    summary: 'Another key for run tasks. The one before is refused from now on.',
    role: 'admin',
    query: nothing,
    body: nothing,
    reply: z.strictObject({ hmac_key: z.string() }),
    errors: [],
  }),
  GetRunTaskConfig: hcpRoute({
    method: 'GET',
    path: `${runTasks}/config`,
    operation: 'GetRunTaskConfig',
    summary: 'What a run task says of an image that the registry does not know.',
    role: 'viewer',
    query: nothing,
    body: nothing,
    reply: configReply,
    errors: [],
  }),
  UpdateRunTaskConfig: hcpRoute({
    method: 'PATCH',
    path: `${runTasks}/config`,
    operation: 'UpdateRunTaskConfig',
    summary: 'Sets what a run task says of an image that the registry does not know.',
    role: 'admin',
    query: nothing,
    body: z.object({ on_untracked_image: given(runTaskBehaviour) }),
    reply: configReply,
    errors: [],
  }),
} as const;
