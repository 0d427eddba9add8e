/** The settings of an image line's `targets[].launch` and `targets[].settings` for this provider. */
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';

/** https://learn.microsoft.com/azure/virtual-machines/linux/faq#what-are-the-username-requirements-when-creating-a-vm- */
const reservedNames = new Set(
  '1 123 a actuser adm admin admin1 admin2 administrator aspnet backup console david guest john owner root server sql support support_388945a0 sys test test1 test2 test3 user user1 user2 user3 user4 user5 video'.split(
    ' ',
  ),
);

const launchSettingsSchema = z.strictObject({
  vmSize: z.string().min(1).default('Standard_D2s_v5').meta({ description: 'Size of the test machine.' }),
  adminUsername: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,31}$/)
    .refine((name) => !reservedNames.has(name), { error: 'is reserved by Azure: choose another name' })
    .default('bakehouse')
    .meta({
      description: 'Azure makes this user on a generalized image. Its key is thrown away: nobody logs in.',
    }),
  bootTimeoutMs: z
    .int()
    .min(1_000)
    .default(900_000)
    .meta({ description: 'A machine whose agent is not ready after this long has failed its test.' }),
  subnetId: z
    .string()
    .regex(/^\/subscriptions\/.+\/subnets\/[^/]+$/i, { error: 'must be the resource id of a subnet' })
    .optional()
    .meta({ description: 'An existing subnet. Absent: a network of its own per launch, without a way in.' }),
  securityType: z
    .enum(['Standard', 'TrustedLaunch'])
    .optional()
    .meta({ description: 'Security type of the test machine. Absent: what the image asks for.' }),
});

const placeSettingsSchema = z.strictObject({
  replicaCount: z
    .int()
    .min(1)
    .max(100)
    .default(1)
    .meta({ description: 'Replicas of the image in the region.' }),
  storageAccountType: z
    .enum(['Standard_LRS', 'Standard_ZRS', 'Premium_LRS'])
    .optional()
    .meta({ description: 'Storage of the replicas.' }),
  diskEncryptionSetId: z
    .string()
    .optional()
    .meta({ description: 'Resource id of the disk encryption set of the region.' }),
});

export type LaunchSettings = z.infer<typeof launchSettingsSchema>;
export type PlaceSettings = z.infer<typeof placeSettingsSchema>;
type Given = Readonly<Record<string, unknown>>;

/** Throws `invalid_input` naming the key. */
export const parseLaunchSettings = (settings: Given): LaunchSettings =>
  parsed('launch', launchSettingsSchema, settings);

/** Throws `invalid_input` naming the key. */
export const parsePlaceSettings = (settings: Given): PlaceSettings =>
  parsed('settings', placeSettingsSchema, settings);

function parsed<T extends z.ZodRawShape>(
  where: string,
  schema: z.ZodObject<T, z.core.$strict>,
  settings: Given,
): z.infer<z.ZodObject<T, z.core.$strict>> {
  const result = schema.safeParse(settings);
  if (result.success) return result.data;
  const issues = result.error.issues.map(
    (issue) => `${where}${issue.path.map((part) => `.${String(part)}`).join('')}: ${issue.message}`,
  );
  const known = Object.keys(schema.shape).join(', ');
  throw new Failure('invalid_input', `azure: ${issues.join('; ')} (known settings: ${known})`);
}
