/**
 * What the Packer of a bake of ours tells. Its workflow records what was made, by the manifest and the provider, and completes the version:
 * of the end of a build and of its artifacts nothing is taken here.
 */
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import type { BuildFields } from '../contract/publishing.ts';
import type { VersionIdentity } from '../version-identity.ts';
import type { HeldVersion } from './hold-version.ts';
import type { BuildRow } from './settle.ts';

export function takenFrom({ isOurs }: HeldVersion, fields: BuildFields): BuildFields {
  if (!isOurs) return fields;
  const { state, artifacts: _made, ...rest } = fields;
  return state === 'running' ? { ...rest, state } : rest;
}

/** Another run, on another host perhaps, makes the image anew, and tells anew of it. */
export function toldBefore(
  { isOurs }: HeldVersion,
  build: BuildRow,
  { packerRunUuid: run }: BuildFields,
): BuildRow {
  if (!isOurs || run === undefined || run === build.packer_run_uuid) return build;
  return {
    ...build,
    platform: null,
    labels: {},
    metadata: null,
    source_external_identifier: null,
    parent_version_id: null,
    parent_channel_id: null,
  };
}

/** Ancestry is what Packer used; a parent that the line does not name would have been baked on without its being pinned. */
export async function refuseUnpinned(tx: Tx, version: HeldVersion, parent: VersionIdentity): Promise<void> {
  if (!version.isOurs) return;
  const pinned = await tx
    .selectFrom('ancestry')
    .where('child_version_id', '=', version.id)
    .select(['parent_version_id as id', 'parent_bucket as bucket', 'parent_version_name as name'])
    .execute();
  if (pinned.some(({ id }) => id === parent.id)) return;
  const said = pinned.map(({ bucket, name }) => `${bucket} ${name}`).join(', ') || 'none';
  throw new Failure(
    'illegal_state',
    `The template bakes "${version.bucket}" on ${parent.bucket} ${parent.name}, and its image line names ${said} as its parent. Let \`parents\` in bakehouse.yaml name what the template uses.`,
  );
}
