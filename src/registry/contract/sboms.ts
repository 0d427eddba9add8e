import type { Actor } from '../../domain/actor.ts';

export type SbomFormat = 'CYCLONEDX' | 'SPDX';

/** A bill of materials that was uploaded while its build ran. */
export interface Sbom {
  readonly id: string;
  /** Unique in its build. */
  readonly name: string;
  readonly format: SbomFormat;
}

/** As an SBOM names it. 512, 256 and 1,024 bytes at most; what is not said is empty. */
export interface NamedPackage {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
}

/** A build by the names of its address; `not_found` with `details.missing`, as of `Views`. */
export interface BuildAddress {
  readonly project: string;
  readonly bucket: string;
  readonly fingerprint: string;
  readonly buildId: string;
}

export interface Sboms {
  /** `invalid_input` unless the build runs, as `upload` refuses it. */
  refuseUnlessRunning(at: BuildAddress): Promise<void>;
  /**
   * Keeps it with its packages, and compares those with the advisories that are known. The same name again replaces; the same content too changes
   * nothing. `invalid_input` unless the build runs, and for more packages of one name than are compared; `illegal_state` for more SBOMs than a build may have,
   * and for a build of a bake of ours from anybody but its Packer.
   */
  upload(
    input: BuildAddress & {
      /** Absent: a fresh ULID. */
      name?: string;
      format: SbomFormat;
      /** zstd of the JSON, which is `sizeBytes` long. */
      content: Uint8Array;
      sizeBytes: number;
      packages: readonly NamedPackage[];
      by: Actor;
    },
  ): Promise<Sbom>;
  /** By name. */
  list(at: BuildAddress): Promise<readonly Sbom[]>;
  get(at: BuildAddress, name: string): Promise<Sbom>;
  /** By its id: what was uploaded, zstd of the JSON. */
  content(id: string): Promise<Uint8Array>;
}
