import type { Channel } from '../domain/channel.ts';
import type { Channels } from '../registry/contract/channels.ts';
import type { Versions } from '../registry/contract/versions.ts';

export interface SubjectDeps {
  readonly registry: {
    readonly versions: Pick<Versions, 'find' | 'get'>;
    readonly channels: Pick<Channels, 'get'>;
  };
}

/** A version as people and workflow ids name it. */
export interface NamedVersion {
  readonly versionId: string;
  readonly project: string;
  readonly bucket: string;
  /** `v3`. */
  readonly version: string;
}

/** From what a person typed, or what the relay sent, to the thing itself. */
export function createSubjectActivities({ registry: { versions, channels } }: SubjectDeps) {
  return {
    async versionNamed(project: string, bucket: string, name: string): Promise<NamedVersion> {
      const version = await versions.find(project, bucket, name);
      return { versionId: version.id, project, bucket, version: version.name };
    },

    async versionById(versionId: string): Promise<NamedVersion> {
      const { project, bucket, name } = await versions.get(versionId);
      return { versionId, project, bucket, version: name };
    },

    async channelNamed(
      project: string,
      bucket: string,
      name: string,
    ): Promise<Pick<Channel, 'id' | 'bucket' | 'name'>> {
      const channel = await channels.get(project, bucket, name);
      return { id: channel.id, bucket: channel.bucket, name: channel.name };
    },
  };
}
