import type { Resolution } from '../../domain/channel.ts';
import { Failure } from '../../domain/failure.ts';
import type { Db } from '../../store/store.ts';
import type { Sight } from '../contract/channels.ts';
import { findChannel } from '../channels/rows.ts';
import { revokedWords, whyUnassigned } from '../channels/why-unassigned.ts';
import { loadEffective } from '../status.ts';
import { loadVersion } from './load.ts';

export interface ChannelPath {
  readonly project: string;
  readonly bucket: string;
  readonly channel: string;
  readonly sight?: Sight | undefined;
}

/** What a consumer uses now. */
export async function resolve(db: Db, path: ChannelPath, now: string): Promise<Resolution> {
  const { project, bucket, channel, sight } = path;
  const row = await findChannel(db, project, bucket, channel, sight);
  const effective = (await loadEffective(db, [row.id], now)).get(row.id);
  if (effective === undefined || effective.versionId === null) {
    throw new Failure(
      'illegal_state',
      `channel "${channel}" of bucket "${bucket}" has no version assigned: ${await whyUnassigned(db, row, now)}`,
    );
  }
  const version = await loadVersion(db, effective.versionId, now);
  if (effective.revoked) {
    throw new Failure(
      'illegal_state',
      `channel "${channel}" of bucket "${bucket}" points to ${version.name}, which ${revokedWords(version.revocation)}; promote another version with \`bakehouse promote ${bucket} <version> ${channel}\``,
      {
        details: {
          versionId: version.id,
          versionName: version.name,
          revokedAt: version.revocation.at,
        },
      },
    );
  }
  return {
    project,
    bucket,
    channel,
    versionId: version.id,
    versionName: version.name,
    fingerprint: version.fingerprint,
    images: version.builds.flatMap((build) =>
      build.artifacts.map((artifact) => ({
        artifactId: artifact.id,
        ...artifact.image.target,
        imageId: artifact.image.imageId,
        digest: artifact.digest,
      })),
    ),
  };
}
