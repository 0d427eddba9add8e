/** Buckets, versions, builds and channels with all that a registry client is shown of them, each in a fixed number of queries. */
import type { BuildState, TemplateType, VersionState } from '../../domain/version.ts';
import type { Sight } from './channels.ts';
import type { PageAsked, PageOf } from './pages.ts';

export interface ArtifactView {
  readonly id: string;
  /** The image's id in its cloud, as Packer's plugin named it. */
  readonly externalIdentifier: string;
  readonly region: string;
  readonly createdAt: string;
}

export interface BuildView {
  readonly id: string;
  readonly versionId: string;
  /** Packer's source, `amazon-ebs.ubuntu`. */
  readonly componentType: string;
  readonly packerRunUuid: string | null;
  readonly platform: string | null;
  readonly state: BuildState;
  readonly labels: Readonly<Record<string, string>>;
  /** Only of a build that is done: Packer takes one with artifacts for done. */
  readonly artifacts: readonly ArtifactView[];
  readonly sourceExternalIdentifier: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** How children stand to the channels that their parents were taken from. */
export type AncestryState = 'undetermined' | 'up_to_date' | 'out_of_date';

export interface RevocationView {
  readonly state: 'scheduled' | 'revoked';
  readonly at: string;
  readonly reason: string;
  readonly author: string;
  /** Policy dates are manual ones on the wire. */
  readonly type: 'manual' | 'inherited';
  readonly inheritedFrom: {
    readonly bucket: string;
    readonly versionId: string;
    readonly versionName: string;
    readonly fingerprint: string;
  } | null;
}

export interface VersionView {
  readonly id: string;
  readonly bucketId: string;
  readonly bucket: string;
  readonly fingerprint: string;
  /** `v3`, or `v0` until it is complete. */
  readonly name: string;
  readonly state: VersionState;
  readonly templateType: TemplateType | null;
  /** Name of who opened it. */
  readonly author: string;
  readonly builds: readonly BuildView[];
  readonly hasDescendants: boolean;
  /** Null: no parent is known. */
  readonly parents: AncestryState | null;
  /** Null: neither revoked nor going to be. */
  readonly revocation: RevocationView | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface BucketView {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of that version. */
  readonly platforms: readonly string[];
  /** The newest complete version, revoked or not: its status says so, and `latest` is what consumers ask. */
  readonly latestVersion: VersionView | null;
  /** Complete ones: on HCP too a version counts from its completion. */
  readonly versionCount: number;
  /** Of the newest complete version. */
  readonly parents: AncestryState | null;
  /** Of the newest complete versions of other buckets that were baked from this one. */
  readonly children: AncestryState | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface ChannelView {
  readonly id: string;
  readonly bucket: string;
  readonly name: string;
  readonly author: string;
  readonly managed: boolean;
  readonly restricted: boolean;
  /** The effective assignment's. */
  readonly version: VersionView | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** One row of a channel's history. */
export interface AssignmentView {
  readonly id: string;
  /** Null: it was unassigned. */
  readonly version: VersionView | null;
  readonly author: string;
  readonly at: string;
}

/** An image with what it was made as. */
export interface FoundArtifact {
  readonly bucket: Pick<BucketView, 'id' | 'name' | 'labels'>;
  readonly version: VersionView;
  readonly build: BuildView;
}

/** That a version was baked from another one. */
export interface RelationView {
  readonly id: string;
  readonly parent: {
    readonly bucket: string;
    readonly versionId: string;
    readonly versionName: string;
    readonly fingerprint: string;
    /** That it was taken from; null when it was deleted since, or is not seen by the reader. */
    readonly channel: {
      readonly name: string;
      readonly version: { readonly id: string; readonly name: string; readonly fingerprint: string } | null;
    } | null;
  };
  readonly child: {
    readonly bucket: string;
    readonly versionId: string;
    readonly versionName: string;
    readonly fingerprint: string;
  };
  readonly state: AncestryState;
}

export type BucketKey = 'name' | 'created_at' | 'updated_at';
export type VersionKey = 'id' | 'name' | 'fingerprint' | 'created_at' | 'updated_at';

/** What a reader sees of a bucket by its name; `none`: he does not know that there is one. */
export type Sights = (bucket: string) => Sight | 'none';

/**
 * `project` is the name of one, which is unique in the installation. `sights`: what rests on a channel that the reader does not see is
 * undetermined. What does not exist is `not_found`, and `details.missing` says what of it: `bucket`, `version`, `build` or `channel`.
 */
export interface Views {
  bucket(project: string, bucket: string, sights: Sights): Promise<BucketView>;
  /** By its fingerprint. */
  version(project: string, bucket: string, fingerprint: string, sights: Sights): Promise<VersionView>;
  /** By source. */
  builds(project: string, bucket: string, fingerprint: string): Promise<readonly BuildView[]>;
  build(project: string, bucket: string, fingerprint: string, buildId: string): Promise<BuildView>;
  /** `permission_denied` for a restricted one that the reader does not see. */
  channel(project: string, bucket: string, channel: string, sights: Sights): Promise<ChannelView>;
  /** `latest` first, then by name; without those that the reader does not see. */
  channels(project: string, bucket: string, sights: Sights): Promise<readonly ChannelView[]>;
  /** Those that the reader sees any of; by name. */
  buckets(project: string, page: PageAsked<BucketKey>, sights: Sights): Promise<PageOf<BucketView>>;
  /** Newest first. */
  versions(
    project: string,
    bucket: string,
    page: PageAsked<VersionKey>,
    sights: Sights,
  ): Promise<PageOf<VersionView>>;
  /** Newest first, with how many there are. */
  history(
    project: string,
    bucket: string,
    channel: string,
    page: PageAsked<never>,
    sights: Sights,
  ): Promise<PageOf<AssignmentView> & { readonly count: number }>;
  /** Images by their id in the cloud, newest first, of buckets that the reader sees. */
  search(
    project: string,
    wanted: { readonly externalIdentifier: string; readonly platform?: string; readonly region?: string },
    page: PageAsked<never>,
    sights: Sights,
  ): Promise<PageOf<FoundArtifact>>;
  /**
   * `parents`: of one version, by default the newest complete one. `children`: newest complete versions of other buckets that were baked
   * from any version of this one, or with `channel` from what was taken from that channel. All of them, by the other side's bucket; those
   * that the reader sees.
   */
  relations(
    project: string,
    bucket: string,
    of: {
      readonly sides: readonly ('parents' | 'children')[];
      readonly fingerprint?: string;
      readonly channel?: string;
    },
    sights: Sights,
  ): Promise<readonly RelationView[]>;
}
