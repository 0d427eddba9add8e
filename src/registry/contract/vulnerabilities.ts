import type { Actor } from '../../domain/actor.ts';
import type { Criticality } from '../../domain/vulnerability.ts';

/** What happens to a package in the order of its versions; `0` is before all of them. */
export type AdvisoryRange = readonly {
  readonly kind: 'introduced' | 'fixed' | 'last_affected' | 'limit';
  readonly version: string;
}[];

/** Of an OSV file: what is needed of it. */
export interface Advisory {
  /** `GHSA-…`, `DSA-…`, `CVE-…`. */
  readonly id: string;
  readonly description: string;
  readonly criticality: Criticality;
  /** Other names of the same. */
  readonly aliases: readonly string[];
  readonly related: readonly string[];
  readonly publishedAt: string | null;
  readonly modifiedAt: string | null;
  /** It was an error: it affects nothing. */
  readonly withdrawnAt: string | null;
  readonly affected: readonly {
    /** As OSV writes it. One whose order of versions is not known is left out. */
    readonly ecosystem: string;
    readonly name: string;
    readonly ranges: readonly AdvisoryRange[];
    readonly versions: readonly string[];
  }[];
}

export interface VulnerabilityImport {
  readonly id: string;
  readonly file: string;
  /** Read so far, without those that no package of ours can have. */
  readonly advisories: number;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

export interface Vulnerabilities {
  /**
   * Takes in advisories and compares the packages that they name. Calls with one id are one import: they are numbered from 1 on, and the one that is
   * `last` ends it. A call that was taken in changes nothing again; one that does not follow is a `conflict`. An advisory that is there is replaced
   * unless it is newer.
   */
  take(input: {
    importId: string;
    file: string;
    batch: number;
    advisories: readonly Advisory[];
    last: boolean;
    by: Actor;
  }): Promise<VulnerabilityImport>;
}
