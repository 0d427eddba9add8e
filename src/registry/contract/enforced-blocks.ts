import type { Actor } from '../../domain/actor.ts';
import type { TemplateType } from '../../domain/version.ts';
import type { BucketView, Sights } from './views.ts';

/** Provisioners of a project that Packer runs in every build of the buckets they are linked to. */
export interface EnforcedBlock {
  readonly id: string;
  /** Unique in its project. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface EnforcedBlockVersion {
  readonly id: string;
  readonly blockId: string;
  /** As a person calls it; unique in its block. */
  readonly version: string;
  readonly content: string;
  readonly templateType: TemplateType;
  readonly description: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface EnforcedBlockLink {
  readonly id: string;
  readonly blockId: string;
  readonly versionId: string;
  readonly bucketId: string;
  readonly bucket: string;
  readonly createdAt: string;
}

export interface NewEnforcedBlockVersion {
  /** Absent: the number of versions before it, and one. */
  readonly version?: string;
  /** Checked by the caller: provisioners and nothing else. */
  readonly content: string;
  readonly templateType: TemplateType;
  readonly description: string;
}

/** A block of the project by its id, or a version of it. */
interface Named {
  readonly project: string;
  readonly blockId: string;
}
interface NamedVersion extends Named {
  readonly versionId: string;
}

/** All refuse an unknown project, block or version with `not_found`. */
export interface EnforcedBlocks {
  /** By name. */
  list(project: string): Promise<readonly EnforcedBlock[]>;
  /** With its newest version; null where all were deleted. */
  get(at: Named): Promise<EnforcedBlock & { readonly latest: EnforcedBlockVersion | null }>;
  /** `already_exists` where the project has the name. */
  create(input: {
    project: string;
    name: string;
    labels: Readonly<Record<string, string>>;
    first: NewEnforcedBlockVersion;
    by: Actor;
  }): Promise<EnforcedBlock & { readonly latest: EnforcedBlockVersion }>;
  /** What is absent stays. */
  update(
    input: Named & { name?: string; labels?: Readonly<Record<string, string>>; by: Actor },
  ): Promise<EnforcedBlock>;
  /** `illegal_state` while a version of it is linked: what is enforced does not end by the way. */
  remove(input: Named & { by: Actor }): Promise<void>;
  /** Newest first. */
  versions(at: Named): Promise<{ block: EnforcedBlock; versions: readonly EnforcedBlockVersion[] }>;
  /** `illegal_state` for more versions, or more of their contents, than a block may have. */
  addVersion(input: Named & { version: NewEnforcedBlockVersion; by: Actor }): Promise<EnforcedBlockVersion>;
  describeVersion(input: NamedVersion & { description: string; by: Actor }): Promise<EnforcedBlockVersion>;
  /** `illegal_state` while it is linked. */
  removeVersion(input: NamedVersion & { by: Actor }): Promise<void>;
  /** By the bucket's name, with what is shown of it. */
  links(
    at: NamedVersion,
    sights: Sights,
  ): Promise<readonly { readonly link: EnforcedBlockLink; readonly bucket: BucketView }[]>;
  /**
   * Makes the named buckets the ones that this version is linked to: others are unlinked from it, and a bucket that has another version of the
   * block changes to this one. Answers the links that it has then. `illegal_state` where a bucket would have more than its builds are given at once.
   */
  link(
    input: NamedVersion & { buckets: readonly string[]; by: Actor },
  ): Promise<readonly EnforcedBlockLink[]>;
  /** What a build of the bucket has to run, oldest block first. */
  forBucket(
    project: string,
    bucket: string,
  ): Promise<readonly { id: string; name: string; version: EnforcedBlockVersion }[]>;
}
