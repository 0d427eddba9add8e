/** What HCP Terraform is told of the images in a plan. */
import type { RunTaskBehaviour } from './registry-config.ts';

/** An image that a resource of a plan is made from. */
export interface PlannedImage {
  /** `aws_instance.web` */
  readonly resource: string;
  readonly externalIdentifier: string;
  /** New or replaced; false: changed in place, which is told and stops nothing. */
  readonly isNew: boolean;
  /** Whether it must be known: it stands where resources of this type name their image. */
  readonly isImage: boolean;
}

/** What the registry says of an image. */
export type ImageStanding =
  | { readonly state: 'untracked' }
  | {
      readonly state: 'fine' | 'scheduled' | 'revoked';
      readonly bucket: string;
      readonly version: string;
      /** Of the revocation, made or to come. */
      readonly at: string | null;
      readonly reason: string;
      /** The newest complete version, where it is another one. */
      readonly newer: string | null;
    };

export interface Finding extends PlannedImage {
  readonly level: 'error' | 'warning' | 'info';
  readonly text: string;
}

export interface RunVerdict {
  readonly status: 'passed' | 'failed';
  readonly message: string;
  /** Without what is fine. */
  readonly findings: readonly Finding[];
}

/** Where resources name their image, by the type of the resource. */
const imageFields: Readonly<Record<string, readonly string[]>> = {
  aws_instance: ['ami'],
  aws_spot_instance_request: ['ami'],
  aws_launch_template: ['image_id'],
  aws_launch_configuration: ['image_id'],
  aws_ami_launch_permission: ['image_id'],
  aws_emr_cluster: ['custom_ami_id'],
  aws_batch_compute_environment: ['image_id', 'image_id_override'],
  azurerm_virtual_machine_scale_set: ['id'],
  azurerm_linux_virtual_machine_scale_set: ['source_image_id'],
  azurerm_windows_virtual_machine_scale_set: ['source_image_id'],
  azurerm_linux_virtual_machine: ['source_image_id'],
  azurerm_windows_virtual_machine: ['source_image_id'],
  azurerm_managed_disk: ['image_reference_id', 'gallery_image_reference_id'],
  google_compute_instance: ['image'],
  google_compute_disk: ['image'],
  google_compute_image_iam_binding: ['image'],
  google_compute_image_iam_member: ['image'],
  google_compute_image_iam_policy: ['image'],
  google_compute_machine_image_iam_binding: ['machine_image'],
  google_compute_machine_image_iam_member: ['machine_image'],
  google_compute_machine_image_iam_policy: ['machine_image'],
};

/** Within this one block only: every resource has an `id` of its own. */
const scaleSetBlock = 'storage_profile_image_reference';

type Tree = Readonly<Record<string, unknown>>;
const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/**
 * Of the JSON of a plan (`terraform show -json`): images where resources of known types name them, and whatever resource uses what the
 * data source `hcp_packer_artifact` answered.
 */
export function imagesOf(plan: unknown): readonly PlannedImage[] {
  if (!isTree(plan)) return [];
  const answered = artifactsRead(plan['prior_state']);
  return listOf(plan['resource_changes']).flatMap((one) => {
    const change = isTree(one) && isTree(one['change']) ? one['change'] : {};
    const actions = listOf(change['actions']);
    if (!isTree(one) || one['mode'] !== 'managed' || actions.every((action) => !isChange(action))) return [];
    const type = String(one['type']);
    const resource = String(one['address']).slice(0, 300);
    const isNew = actions.includes('create');
    const leaves = [...leavesOf(change['after'])];
    const named = leaves.filter(({ path }) => isImageField(type, path)).map(({ text }) => text);
    const read = leaves.filter(({ text }) => answered.has(text)).map(({ text }) => text);
    return [...new Set([...named, ...read])].map((externalIdentifier) => ({
      resource,
      externalIdentifier,
      isNew,
      isImage: named.includes(externalIdentifier),
    }));
  });
}

const isChange = (action: unknown): boolean => action === 'create' || action === 'update';

function isImageField(type: string, path: readonly string[]): boolean {
  const fields = Object.hasOwn(imageFields, type) ? (imageFields[type] ?? []) : [];
  if (!fields.includes(path.at(-1) ?? '')) return false;
  return type !== 'azurerm_virtual_machine_scale_set' || path.includes(scaleSetBlock);
}

function* leavesOf(
  value: unknown,
  path: readonly string[] = [],
): Generator<{ readonly path: readonly string[]; readonly text: string }> {
  if (path.length > 20) return;
  if (typeof value === 'string' && value !== '' && value.length <= 1024) yield { path, text: value };
  else if (Array.isArray(value)) for (const one of value) yield* leavesOf(one, path);
  else if (isTree(value))
    for (const [key, one] of Object.entries(value)) yield* leavesOf(one, [...path, key]);
}

function artifactsRead(state: unknown, found = new Set<string>()): ReadonlySet<string> {
  const values = isTree(state) && isTree(state['values']) ? state['values'] : {};
  const modules = [values['root_module']];
  while (modules.length > 0) {
    const module = modules.pop();
    if (!isTree(module)) continue;
    modules.push(...listOf(module['child_modules']));
    for (const one of listOf(module['resources'])) {
      if (!isTree(one) || one['type'] !== 'hcp_packer_artifact' || !isTree(one['values'])) continue;
      const id = one['values']['external_identifier'];
      if (typeof id === 'string' && id !== '') found.add(id);
    }
  }
  return found;
}

/** `standings`: by external identifier; what is missing there is untracked. */
export function verdictOf(
  images: readonly PlannedImage[],
  standings: ReadonlyMap<string, ImageStanding>,
  onUntrackedImage: RunTaskBehaviour,
): RunVerdict {
  const all = images.map((image) => ({
    image,
    standing: standings.get(image.externalIdentifier) ?? ({ state: 'untracked' } as const),
  }));
  const count = (state: ImageStanding['state']): number =>
    all.filter(({ standing }) => standing.state === state).length;
  const findings = all.flatMap(({ image, standing }) => findingOf(image, standing, onUntrackedImage));
  const newer = all.filter(({ standing }) => standing.state !== 'untracked' && standing.newer !== null);
  return {
    status: findings.some(({ level }) => level === 'error') ? 'failed' : 'passed',
    message: `${all.length} images scanned: ${count('revoked')} revoked, ${count('scheduled')} to be revoked, ${newer.length} with a newer version, ${count('untracked')} not in the registry.`,
    findings,
  };
}

function findingOf(
  image: PlannedImage,
  standing: ImageStanding,
  onUntrackedImage: RunTaskBehaviour,
): readonly Finding[] {
  const id = image.externalIdentifier.slice(0, 200);
  if (standing.state === 'untracked') {
    if (!image.isImage) return [];
    const level = onUntrackedImage === 'FAIL' && image.isNew ? 'error' : 'warning';
    return [{ ...image, level, text: `Image ${id} is not in the registry.` }];
  }
  const { bucket, version, at, reason, newer } = standing;
  const of = `Image ${id} is ${version} of ${bucket}`;
  const instead = newer === null ? '' : ` The newest version is ${newer}.`;
  if (standing.state === 'revoked') {
    const level = image.isNew ? 'error' : 'warning';
    return [{ ...image, level, text: `${of}, which is revoked since ${at}: ${reason}.${instead}` }];
  }
  if (standing.state === 'scheduled') {
    return [{ ...image, level: 'warning', text: `${of}, which is revoked at ${at}: ${reason}.${instead}` }];
  }
  return newer === null ? [] : [{ ...image, level: 'info', text: `${of}.${instead}` }];
}
