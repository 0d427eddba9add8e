/** The settings of an image line's `targets[].launch` and `targets[].settings` for this provider. */
import type { _InstanceType } from '@aws-sdk/client-ec2';
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import type { GuestShell, LaunchFacts } from '../provider.ts';

const launchSettingsSchema = z.strictObject({
  // Types are added every month: its shape is checked here, its existence by EC2.
  instanceType: z
    .custom<_InstanceType>((value) => typeof value === 'string' && /^[a-z0-9-]+\.[a-z0-9-]+$/.test(value), {
      error: 'must be an instance type, for example t3.micro',
    })
    .default('t3.micro')
    .meta({ description: 'Must fit the architecture of the image.' }),
  subnetId: z
    .string()
    .regex(/^subnet-[0-9a-f]+$/)
    .optional()
    .meta({ description: 'Absent: the default subnet.' }),
  securityGroupIds: z
    .array(z.string().regex(/^sg-[0-9a-f]+$/))
    .max(16)
    .optional()
    .meta({
      description: 'Absent: the default group. Nothing has to be let in: commands come by Systems Manager.',
    }),
  publicIp: z.boolean().optional().meta({
    description: 'Whether it gets a public address, which the agent needs where there is no other way out.',
  }),
  iamInstanceProfile: z.string().min(1).optional().meta({
    description: 'Name or ARN of a profile with AmazonSSMManagedInstanceCore, or what else the checks need.',
  }),
  keyName: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'A key pair for people who look for themselves.' }),
  userData: z
    .string()
    .max(12_288)
    .refine((text) => Buffer.byteLength(text) <= 12_288, { error: 'must be at most 12288 bytes of UTF-8' })
    .optional()
    .meta({
      description: 'A script or `#cloud-config` that is run besides the one that ends the machine in time.',
    }),
  platform: z.enum(['linux', 'windows']).default('linux').meta({
    description: 'Decides the shell of the checks, and how the machine is told its time limit.',
  }),
  ssm: z.boolean().default(true).meta({
    description:
      'Commands are run by Systems Manager, and a machine has booted once its agent is online. False: no commands, so no checks in the guest.',
  }),
  statusChecks: z.boolean().default(true).meta({
    description: 'A machine has booted once both of its EC2 status checks pass, which takes minutes.',
  }),
  bootTimeoutMs: z.int().min(1_000).default(900_000).meta({
    description: 'A machine that has not booted after this long has failed its test.',
  }),
});

const placeSettingsSchema = z.strictObject({
  encrypted: z.boolean().optional().meta({
    description:
      'Encrypts copies also where no key is named (with the default key, whose images cannot be shared).',
  }),
  encryptionKey: z.string().min(1).optional().meta({
    description: 'KMS key of copies into this place: id, alias or ARN. Absent: that of the account, if any.',
  }),
  // A copy is waited for at most 4 h, with the time until AWS takes it up.
  completionMinutes: z.int().min(15).max(210).multipleOf(15).optional().meta({
    description: 'Time-based copy: finished within this long, for a price. At most 210.',
  }),
});

export type LaunchSettings = z.infer<typeof launchSettingsSchema>;
export type PlaceSettings = z.infer<typeof placeSettingsSchema>;

type Settings = Readonly<Record<string, unknown>>;

/** Throws `invalid_input` naming the key. */
export function parseLaunchSettings(settings: Settings): LaunchSettings {
  return parsed('launch', launchSettingsSchema, settings);
}

export function launchFacts({ bootTimeoutMs, ssm }: LaunchSettings): LaunchFacts {
  return { bootTimeoutMs, ...(ssm ? {} : { noCommands: 'launch.ssm: false' }) };
}

export function shellOf({ ssm, platform }: LaunchSettings): GuestShell {
  if (!ssm) return 'none';
  return platform === 'windows' ? 'powershell' : 'posix';
}

/** Throws `invalid_input` naming the key. */
export function parsePlaceSettings(settings: Settings): PlaceSettings {
  return parsed('settings', placeSettingsSchema, settings);
}

function parsed<S extends z.ZodObject>(name: string, schema: S, settings: Settings): z.infer<S> {
  const result = schema.safeParse(settings);
  if (result.success) return result.data;
  const issues = result.error.issues.map(
    (issue) => `${name}${issue.path.map((part) => `.${String(part)}`).join('')}: ${issue.message}`,
  );
  const known = Object.keys(schema.shape).join(', ');
  throw new Failure('invalid_input', `aws: ${issues.join('; ')} (known settings: ${known})`);
}
