import { randomBytes } from 'node:crypto';
import { Failure } from '../../../domain/failure.ts';
import type { RegistryConfig } from '../../../registry/contract/config.ts';
import type { AppDeps } from '../../app.ts';
import { registryRoutes } from '../descriptors/routes/registry.ts';
import type { HcpLocation } from '../handler.ts';
import { implement } from '../handler.ts';
import { invalidFields } from '../invalid-fields.ts';
import { toWireRegistry, toWireRegistryChange } from '../wire/registry.ts';

const activatedNames = ['activated', 'config.activated'];
const tierNames = ['featureTier', 'feature_tier', 'config.featureTier', 'config.feature_tier'];

/** `config.activated`, several with commas between them, or a list in brackets as HCP's own specification shows it. */
function maskOf(update_mask: string | undefined): readonly string[] {
  const names = (update_mask ?? '').split(/[\s,"[\]]+/).filter((name) => name !== '');
  const unknown = names.find((name) => ![...activatedNames, ...tierNames].includes(name));
  if (unknown === undefined) return names;
  throw invalidFields([
    {
      field: 'update_mask',
      description: `"${unknown.slice(0, 60)}" is neither \`config.activated\` nor \`featureTier\``,
    },
  ]);
}

export const registryOperations = implement(registryRoutes, {
  async GetRegistry(call) {
    return { registry: toWireRegistry(call, await call.deps.registry.config.get(call.project)) };
  },
  async CreateRegistry(call) {
    const { project, actor: by, body, deps } = call;
    const tier = body.feature_tier;
    return toWireRegistryChange(
      call,
      await deps.registry.config.create({ project, by, ...(tier === undefined ? {} : { tier }) }),
    );
  },
  async UpdateRegistry(call) {
    const { project, actor: by, body, deps } = call;
    const mask = maskOf(body.update_mask);
    const tier = body.feature_tier;
    const changed = await deps.registry.config.change({
      project,
      by,
      // What is false does not arrive: the mask tells whether it is meant.
      ...(mask.some((name) => activatedNames.includes(name)) ? { activated: body.activated } : {}),
      ...(tier === undefined ? {} : { tier }),
    });
    return toWireRegistryChange(call, changed);
  },
  async DeleteRegistry(call) {
    const { project, actor: by, deps } = call;
    return toWireRegistryChange(call, await deps.registry.config.change({ project, by, activated: false }));
  },
  async GetRegistryTFCRunTaskAPI(call) {
    if (call.path.task_type !== 'validation') {
      throw new Failure(
        'not_found',
        `There is no run task "${call.path.task_type}". The only one is \`validation\`.`,
      );
    }
    const config = await call.deps.registry.config.get(call.project);
    return {
      api_url: `${call.origin}/packer/2023-01-01/terraform-cloud/validation/${config.runTask.apiId}`,
      hmac_key: runTaskKey(call, config),
    };
  },
  async RegenerateTFCRunTaskHmacKey(call) {
    const { project, actor: by, deps } = call;
    const config = await deps.registry.config.replaceRunTaskSalt({ project, salt: randomBytes(32), by });
    return { hmac_key: runTaskKey(call, config) };
  },
  async GetRunTaskConfig({ project, deps }) {
    const { runTask } = await deps.registry.config.get(project);
    return { on_untracked_image: runTask.onUntrackedImage };
  },
  async UpdateRunTaskConfig({ project, actor: by, body, deps }) {
    const onUntrackedImage = body.on_untracked_image;
    const { runTask } = await deps.registry.config.change({
      project,
      by,
      ...(onUntrackedImage === undefined ? {} : { onUntrackedImage }),
    });
    return { on_untracked_image: runTask.onUntrackedImage };
  },
});

const runTaskKey = (
  { projectId, deps }: HcpLocation & { readonly deps: Pick<AppDeps, 'keys'> },
  { runTask }: RegistryConfig,
): string => deps.keys.derive(`run-task/${projectId}`, runTask.salt).toString('hex');
