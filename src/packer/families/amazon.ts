/**
 * Amazon's builders. What a killed Packer leaves is found by tags, and an image that was just asked for by its name: EC2 tags most things
 * in the call that makes them, Packer before 1.7 tags images only when they are finished.
 */
import type { TemplateSourceFact } from '../template-facts.ts';
import type { BuilderFamily } from './family.ts';
import { missingTags, missingUse } from './tags.ts';

type Form = 'hcl2' | 'json';

function family(builders: readonly string[], tags: readonly string[], launches: boolean): BuilderFamily {
  return {
    builders,
    plugin: 'github.com/hashicorp/amazon',
    variables: (source) => [
      'attempt_id',
      ...(launches && makesKeyPair(source) ? ['temporary_key_pair_name'] : []),
    ],
    missing: (source, form) => [
      ...missingUse(source, form, 'ami_name', ['image_name']),
      ...[...tags, ...(launches && isSpot(source) ? ['spot_tags'] : [])].flatMap((setting) =>
        missingTags(source, form, setting),
      ),
      ...(launches ? missingKeyPair(source, form) : []),
      ...unmarked(source, form),
    ],
  };
}

export const amazon: readonly BuilderFamily[] = [
  family(
    ['amazon-ebs', 'amazon-ebssurrogate'],
    ['tags', 'snapshot_tags', 'run_tags', 'run_volume_tags'],
    true,
  ),
  family(['amazon-instance'], ['tags', 'run_tags'], true),
  // Works on volumes of the machine that Packer runs on.
  family(['amazon-chroot'], ['tags', 'snapshot_tags', 'root_volume_tags'], false),
];

const isSpot = ({ body }: TemplateSourceFact): boolean =>
  ['spot_price', 'spot_instance_types'].some((setting) => body[setting] !== undefined);

const makesKeyPair = ({ body }: TemplateSourceFact): boolean => body['ssh_keypair_name'] === undefined;

/** Its name is the comment of the key in the guest: a test launch looks whether the key was left in the image. */
function missingKeyPair(source: TemplateSourceFact, form: Form): readonly string[] {
  if (!makesKeyPair(source)) return [];
  return missingUse(source, form, 'temporary_key_pair_name', ['temporary_key_pair_name']);
}

/** What is made without a mark, or is of a kind that is not swept. */
function unmarked({ body }: TemplateSourceFact, form: Form): readonly string[] {
  const line = (setting: string, value: string) =>
    form === 'hcl2' ? `${setting} = ${value}` : `"${setting}": ${value}`;
  return [
    ...(body['skip_ami_run_tags'] === true ? [line('skip_ami_run_tags', 'false')] : []),
    ...(body['temporary_iam_instance_profile_policy_document'] === undefined
      ? []
      : [
          `${line('iam_instance_profile', '"a profile that exists"')} (in place of temporary_iam_instance_profile_policy_document: its role would stay)`,
        ]),
  ];
}
