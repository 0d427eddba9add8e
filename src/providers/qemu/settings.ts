/** The settings of an image line's `targets[].launch` for this provider. */
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';

const regularExpression = z.string().refine(
  (text) => {
    try {
      return new RegExp(text, 'm').source !== '';
    } catch {
      return false;
    }
  },
  { error: 'must be a regular expression' },
);

const launchSettingsSchema = z.strictObject({
  memoryMb: z
    .int()
    .min(64)
    .max(1_048_576)
    .default(256)
    .meta({ description: 'Memory of the machine, in MiB.' }),
  cpus: z.int().min(1).max(64).default(1).meta({ description: 'Virtual processors.' }),
  accelerator: z.enum(['tcg', 'kvm']).default('tcg').meta({
    description:
      '`tcg` runs everywhere; `kvm` needs a usable /dev/kvm, which its mere presence does not prove.',
  }),
  bootTimeoutMs: z
    .int()
    .min(1_000)
    .default(180_000)
    .meta({ description: 'A machine that accepts no command after this long has failed its test.' }),
  readyMarker: regularExpression
    .optional()
    .meta({ description: 'Must appear on the serial console before the machine counts as booted.' }),
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]*$/)
    .default('root')
    .meta({ description: 'Who logs in over SSH with the key from the NoCloud disk.' }),
});

export type LaunchSettings = z.infer<typeof launchSettingsSchema>;

/** Throws `invalid_input` naming the key. */
export function parseLaunchSettings(settings: Readonly<Record<string, unknown>>): LaunchSettings {
  const parsed = launchSettingsSchema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(
    (issue) => `launch${issue.path.map((part) => `.${String(part)}`).join('')}: ${issue.message}`,
  );
  const known = Object.keys(launchSettingsSchema.shape).join(', ');
  throw new Failure('invalid_input', `qemu: ${issues.join('; ')} (known settings: ${known})`);
}
