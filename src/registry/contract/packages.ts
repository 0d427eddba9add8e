import type { Criticality } from '../../domain/vulnerability.ts';
import type { Sight } from './channels.ts';
import type { PageAsked, PageOf } from './pages.ts';
import type { BuildAddress, NamedPackage, Sbom } from './sboms.ts';

export interface PackageFilter {
  readonly name?: string;
  readonly nameStartsWith?: string;
  readonly version?: string;
}

export interface VulnerabilityFilter {
  /** None: all of them. */
  readonly criticalities: readonly Criticality[];
  /** Its id or another name of it. */
  readonly identifier?: string;
  readonly identifierStartsWith?: string;
}

/** With the SBOMs that name it, newest first, 100 at most. */
export interface PackageView extends NamedPackage {
  readonly sboms: readonly Sbom[];
}

export interface VulnerabilityView {
  readonly identifier: string;
  readonly criticality: Criticality;
  readonly description: string;
  /** The next version that is not affected, where one is known. */
  readonly fixedVersion: string | null;
  readonly firstSeenAt: string;
  readonly publishedAt: string | null;
  readonly aliases: readonly string[];
  readonly related: readonly string[];
}

/** A package in a build, once for each channel that points to its version; `channel` null: none does that the caller sees. */
export interface VulnerablePackage extends PackageView {
  readonly build: Named;
  readonly channel: Named | null;
  readonly scannedAt: string | null;
  readonly vulnerabilities: readonly VulnerabilityView[];
}

interface Named {
  readonly id: string;
  readonly name: string;
}

/** What a vulnerability reaches; 1,000 of each at most. */
export interface VulnerabilityImpact {
  readonly vulnerability: VulnerabilityView;
  readonly builds: readonly Named[];
  readonly channels: readonly Named[];
  readonly packages: readonly NamedPackage[];
}

export interface VulnerabilitySummary {
  /** Each vulnerability once. */
  readonly total: readonly {
    readonly criticality: Criticality;
    readonly count: number;
    readonly firstSeenAt: string;
    readonly averageAgeDays: number;
  }[];
  /** The worst 1,000. */
  readonly packages: readonly (NamedPackage & {
    readonly criticality: Criticality;
    readonly count: number;
  })[];
  readonly channels: readonly {
    readonly channel: Named;
    readonly criticality: Criticality;
    readonly count: number;
  }[];
}

interface InBucket {
  readonly project: string;
  readonly bucket: string;
}
interface Seen extends InBucket {
  /** Restricted channels that the caller does not see are told of nowhere. */
  readonly sight: Sight;
}

/**
 * What the SBOMs of a bucket name, of all its versions that are not deleted, and what is known against it. Packages are sorted by name and version;
 * a place among them is a package's number, with vulnerabilities `<number>.<build>.<channel or ->`. A place among vulnerabilities is their id.
 */
export interface Packages {
  ofBuild(at: BuildAddress, filter: PackageFilter, page: PageAsked<'name'>): Promise<PageOf<PackageView>>;
  ofBucket(at: InBucket, filter: PackageFilter, page: PageAsked<'name'>): Promise<PageOf<PackageView>>;
  vulnerable(
    at: Seen,
    filter: PackageFilter & VulnerabilityFilter,
    page: PageAsked<'name'>,
  ): Promise<PageOf<VulnerablePackage>>;
  vulnerabilities(
    at: Seen,
    filter: VulnerabilityFilter,
    page: PageAsked<'identifier'>,
  ): Promise<PageOf<VulnerabilityImpact>>;
  summary(at: Seen): Promise<VulnerabilitySummary>;
}
