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
   * Takes in advisories and compares the packages that they name. Calls with one id are one import, which begins with the first and ends with the
   * one that is `last`; an advisory that is there is replaced unless it is newer. The packages that are known are compared at once.
   */
  take(input: {
    importId: string;
    file: string;
    advisories: readonly Advisory[];
    last: boolean;
    by: Actor;
  }): Promise<VulnerabilityImport>;
}
