import { Failure } from '../../domain/failure.ts';
import type { BuildState } from '../../domain/version.ts';
import type { Tx } from '../../store/store.ts';
import type { BuildFields } from '../contract/publishing.ts';
import { setKeysOnce, setOnce } from './set-once.ts';

/** The fields that are set once. */
export interface Settled {
  readonly platform: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly source_external_identifier: string | null;
  readonly parent_version_id: string | null;
  readonly parent_channel_id: string | null;
}

export interface BuildRow extends Settled {
  readonly id: string;
  readonly source: string;
  readonly state: BuildState;
  readonly packer_run_uuid: string | null;
  readonly expired_at: string | null;
}

export function selectBuilds(tx: Tx, versionId: string) {
  return tx
    .selectFrom('build')
    .where('version_id', '=', versionId)
    .where('deleted_at', 'is', null)
    .select(['id', 'source', 'state', 'packer_run_uuid', 'expired_at', 'platform', 'labels', 'metadata'])
    .select(['source_external_identifier', 'parent_version_id', 'parent_channel_id']);
}

/** As much as one call can say: an image that is made is not refused for what is said of it, and many calls make no endless build. */
const labelBytes = 1024 * 1024;

function bounded<T extends object>(labels: T): T {
  if (Buffer.byteLength(JSON.stringify(labels)) <= labelBytes) return labels;
  throw new Failure('invalid_input', `labels: a build has ${labelBytes} bytes of them at most`);
}

/** What is set once after what was told now; `already_exists` where it would have to change. */
export function settle(build: BuildRow, fields: BuildFields): Settled {
  const { platform, labels, metadata, sourceExternalIdentifier, parent } = fields;
  return {
    platform: setOnce('Platform', build.platform, platform),
    labels: labels === undefined ? build.labels : bounded(setKeysOnce('label', build.labels, labels)),
    metadata:
      metadata === undefined ? build.metadata : setKeysOnce('metadata', build.metadata ?? {}, metadata, 10),
    source_external_identifier: setOnce(
      'SourceExternalIdentifier',
      build.source_external_identifier,
      sourceExternalIdentifier,
    ),
    parent_version_id: setOnce('ParentVersionID', build.parent_version_id, parent?.versionId),
    parent_channel_id: setOnce('ParentChannelID', build.parent_channel_id, parent?.channelId),
  };
}
