import type { Resolution } from '../../domain/channel.ts';
import { Failure } from '../../domain/failure.ts';
import type { Db } from '../../store/store.ts';
import { findChannel } from '../channels/rows.ts';
import { loadEffective } from '../status.ts';
import { loadVersion } from './load.ts';

export interface ChannelPath {
  readonly project: string;
  readonly bucket: string;
  readonly channel: string;
}

/** What a consumer uses now. */
export async function resolve(db: Db, path: ChannelPath, now: string): Promise<Resolution> {
  const { project, bucket, channel } = path;
  const { id: channelId } = await findChannel(db, project, bucket, channel);
  const effective = (await loadEffective(db, [channelId], now)).get(channelId);
  if (effective === undefined || effective.versionId === null) {
    throw new Failure(
      'not_found',
      `Channel "${channel}" of bucket "${bucket}" has no version assigned. Promote one to it.`,
    );
  }
  const version = await loadVersion(db, effective.versionId, now);
  if (effective.revoked) {
    const { at, reason } = version.revocation;
    throw new Failure(
      'illegal_state',
      `Channel "${channel}" of bucket "${bucket}" points to ${version.name}, which was revoked on ${at ?? 'an unknown date'}: ${reason ?? 'no reason given'}. Promote another version to the channel.`,
      { details: { versionId: version.id, versionName: version.name, revokedAt: at } },
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
