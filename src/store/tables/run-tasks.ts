import type { Defaulted, Fixed, Instant } from '../columns.ts';

export interface RunTaskTable {
  id: Fixed<string>;
  project_id: Fixed<string>;
  result_id: Fixed<string>;
  plan_url: Fixed<string | null>;
  callback_url: Fixed<string>;
  sealed_token: Buffer | null;
  state: 'pending' | 'passed' | 'failed' | 'given_up';
  message: Defaulted<string | null>;
  created_at: Fixed<Instant>;
  ended_at: Defaulted<Instant | null>;
}
