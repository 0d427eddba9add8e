import type { RunTaskBehaviour, Tier } from '../../domain/registry-config.ts';
import type { Defaulted, Fixed, Instant } from '../columns.ts';

export interface RegistryConfigTable {
  project_id: Fixed<string>;
  id: Fixed<string>;
  tier: Defaulted<Tier>;
  deactivated_at: Defaulted<Instant | null>;
  run_task_api_id: Fixed<string>;
  run_task_salt: Buffer;
  on_untracked_image: Defaulted<RunTaskBehaviour>;
  created_at: Fixed<Instant>;
  updated_at: Instant;
}
