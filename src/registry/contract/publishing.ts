import type { Actor } from '../../domain/actor.ts';
import type { BuildState, TemplateType } from '../../domain/version.ts';

interface Place {
  readonly project: string;
  readonly bucket: string;
  readonly by: Actor;
}

interface PlaceOfBuild extends Place {
  readonly fingerprint: string;
  /** Whether the caller may read a bucket of the project: a parent elsewhere does not exist for him. Asked for buckets of parents. */
  readonly mayRead: (bucket: string) => boolean;
}

/** What is told of a build. Absent: nothing is said of it. */
export interface BuildFields {
  readonly state?: Exclude<BuildState, 'pending'>;
  readonly packerRunUuid?: string;
  readonly platform?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Replaces those told before. */
  readonly artifacts?: readonly ToldArtifact[];
  readonly sourceExternalIdentifier?: string;
  readonly parent?: { readonly versionId: string; readonly channelId?: string };
}

export interface ToldArtifact {
  readonly externalIdentifier: string;
  readonly region: string;
}

/**
 * Versions of whoever runs Packer himself. `not_found` for a bucket, version, build or parent that is not there; `illegal_state` for
 * versions of our own bakes, and where the state of a version or build forbids it; `already_exists` for another value of what is set once.
 */
export interface Publishing {
  /**
   * Opens a version. A repeat that differs in nothing changes nothing while the version is not complete; anything else of the same
   * fingerprint is refused with `already_exists`.
   */
  openVersion(
    input: Place & { readonly fingerprint: string; readonly templateType: TemplateType | null },
  ): Promise<void>;
  /**
   * Opens the build of one of Packer's sources; answers its id. One that was opened before and is not done is taken as it is, with what is
   * told now.
   */
  openBuild(
    input: PlaceOfBuild & { readonly componentType: string; readonly fields: BuildFields },
  ): Promise<string>;
  /**
   * Tells a build's state and what was made. The last build that becomes done completes the version, in the same transaction. `running` of
   * one that runs is a heartbeat, and nothing else.
   */
  updateBuild(
    input: PlaceOfBuild & { readonly buildId: string; readonly fields: BuildFields },
  ): Promise<void>;
}
