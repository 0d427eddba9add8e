import type { Actor } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { Tier } from '../../domain/registry-config.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { ConfigChange, RegistryConfig } from '../contract/config.ts';
import { record } from '../record.ts';
import { lockConfig } from './load.ts';

interface By {
  readonly project: string;
  readonly by: Actor;
}

export async function createAgain(tx: Tx, input: By & { readonly tier?: Tier }): Promise<RegistryConfig> {
  const { config } = await lockConfig(tx, input.project);
  if (config.deactivatedAt === null && input.tier !== undefined && input.tier !== config.tier) {
    throw new Failure(
      'already_exists',
      `The registry of project "${input.project}" already exists. Its tier is ${config.tier}; UpdateRegistry changes it.`,
    );
  }
  return changeConfig(tx, { ...input, activated: true });
}

export async function changeConfig(tx: Tx, input: By & ConfigChange): Promise<RegistryConfig> {
  const { projectId, config } = await lockConfig(tx, input.project);
  const now = await clock(tx);
  const before = wordsOf(config);
  const after = {
    tier: input.tier ?? before.tier,
    activated: input.activated ?? before.activated,
    onUntrackedImage: input.onUntrackedImage ?? before.onUntrackedImage,
  };
  if (JSON.stringify(before) === JSON.stringify(after)) return config;
  await tx
    .updateTable('registry_config')
    .set({
      tier: after.tier,
      deactivated_at: after.activated ? null : (config.deactivatedAt ?? now),
      on_untracked_image: after.onUntrackedImage,
      updated_at: now,
    })
    .where('project_id', '=', projectId)
    .execute();
  await record(tx, {
    kind: 'registry.changed',
    project: input.project,
    subjectId: config.id,
    data: { before, after },
    by: input.by,
    at: now,
  });
  return (await lockConfig(tx, input.project)).config;
}

const wordsOf = ({ tier, deactivatedAt, runTask }: RegistryConfig) => ({
  tier,
  activated: deactivatedAt === null,
  onUntrackedImage: runTask.onUntrackedImage,
});

export async function replaceRunTaskSalt(
  tx: Tx,
  { project, salt, by }: By & { readonly salt: Uint8Array },
): Promise<RegistryConfig> {
  const { projectId, config } = await lockConfig(tx, project);
  if (Buffer.from(salt).equals(config.runTask.salt)) return config;
  const now = await clock(tx);
  await tx
    .updateTable('registry_config')
    .set({ run_task_salt: Buffer.from(salt), updated_at: now })
    .where('project_id', '=', projectId)
    .execute();
  await record(tx, {
    kind: 'registry.run_task_key_replaced',
    project,
    subjectId: config.id,
    by,
    at: now,
  });
  return (await lockConfig(tx, project)).config;
}
