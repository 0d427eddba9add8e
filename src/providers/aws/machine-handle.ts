/** What a machine's handle keeps: enough to tell how it does without asking how it was launched. */
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import type { Machine } from '../provider.ts';

const handleSchema = z.object({
  imageId: z.string(),
  /** ISO instant, as EC2 tells it. */
  launchedAt: z.string(),
  timeLimitMs: z.number(),
  bootTimeoutMs: z.number(),
  platform: z.enum(['linux', 'windows']),
  ssm: z.boolean(),
  statusChecks: z.boolean(),
});

export type MachineHandle = z.infer<typeof handleSchema>;

export function handleOf(machine: Machine): MachineHandle {
  const parsed = handleSchema.safeParse(machine.handle);
  if (parsed.success) return parsed.data;
  throw new Failure(
    'invalid_input',
    `aws: the machine of launch ${machine.launchId} was not launched by this provider`,
  );
}
