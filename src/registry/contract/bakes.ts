import type { Actor } from '../../domain/actor.ts';
import type { FailureReport } from '../../domain/failure.ts';
import type { ImageRef } from '../../domain/target.ts';
import type { Artifact, SecretScan, Version } from '../../domain/version.ts';

/** One try of a bake on one host. Its id is on everything that Packer makes. */
export interface BakeAttempt {
  readonly id: string;
  readonly versionId: string;
  /** The attempt of its request that opened the version, which may be at a later one now; null where its version has no request. */
  readonly requestAttempt: number | null;
  readonly bakeId: string;
  readonly hostId: string;
  readonly imageName: string;
  readonly state: 'current' | 'ended' | 'lost';
  /** Packer is ended at this instant by its supervisor. */
  readonly deadline: string;
  readonly createdAt: string;
}

export interface BuiltImage extends ImageRef {
  readonly digest?: string;
  readonly sizeBytes?: number;
  /** Absent: the provider cannot read disks. */
  readonly secretScan?: SecretScan;
}

export interface BuildRecord {
  readonly source: string;
  readonly state: 'done' | 'failed';
  readonly failure?: FailureReport;
  readonly images: readonly BuiltImage[];
}

/** Test run of one artifact. */
export interface TestRecord {
  readonly id: string;
  readonly artifactId: string;
  readonly passed: boolean;
  readonly bootMs: number | null;
  readonly checks: readonly { name: string; passed: boolean; detail: string }[];
}

/** A copy in another place of an artifact of a complete version. */
export interface CopyRecord {
  readonly copiedFrom: string;
  readonly image: BuiltImage;
}

export interface PinnedParent {
  readonly bucket: string;
  readonly channel: string | null;
  readonly versionName: string;
  readonly fingerprint: string;
}

export interface Bakes {
  /** The version of this attempt of the request: fingerprint and bake id fixed, ancestry from the pins. Answers the same one when called again. */
  openVersion(requestId: string, attempt: number): Promise<Version>;
  /** Fixes attempt id and image name on a host. `attemptId` comes from the caller, so a repeat finds it. Refuses while another attempt of the version is current. */
  openAttempt(input: {
    attemptId: string;
    versionId: string;
    hostId: string;
    timeLimitMs: number;
  }): Promise<BakeAttempt>;
  getAttempt(attemptId: string): Promise<BakeAttempt>;
  /** What the attempt's version is baked on. */
  pinnedParents(attemptId: string): Promise<readonly PinnedParent[]>;
  /** All attempts of a version, oldest first. */
  attemptsOf(versionId: string): Promise<readonly BakeAttempt[]>;
  /** The mark on everything that was made for a version; null where no bake of ours made it. */
  bakeIdOf(versionId: string): Promise<string | null>;
  /** Public halves of keys and the like that the attempt puts on its machines and that must be gone from its images; written before Packer starts. */
  rememberMarks(attemptId: string, marks: readonly string[]): Promise<void>;
  /** Fencing: true only while the attempt is current, its version running and its request not ended. */
  isCurrent(attemptId: string): Promise<boolean>;
  /**
   * `lost`: its host went away and may still bake; from now on `isCurrent` is false, and no other one begins before its deadline and a grace.
   * `ended`: Packer is over.
   */
  closeAttempt(attemptId: string, state: 'ended' | 'lost'): Promise<void>;
  /** Attempts on a host that nobody wants any more (closed, or their request ended): the reaper ends their Packer. */
  unwanted(attemptIds: readonly string[]): Promise<readonly string[]>;
  /** Attempts on a host for versions that were cancelled and still have images: those go, too. */
  withUnwantedImages(hostId: string): Promise<readonly string[]>;
  /** Writes the outcome of the sources, artifacts included; partial success is recorded. Refused for an attempt that is not current. */
  recordBuilds(attemptId: string, builds: readonly BuildRecord[]): Promise<Version>;
  /**
   * Gives the v-number, moves `latest`, inherits the revocations of the parents (their bucket rows are locked too), starts the
   * policy end of life. Refused unless every build is done.
   */
  completeVersion(versionId: string, by: Actor): Promise<Version>;
  failVersion(versionId: string, failure: FailureReport): Promise<Version>;
  cancelVersion(versionId: string, reason: string): Promise<Version>;
  /** `mustBeGone`: the marks of all attempts of its version. */
  getArtifact(artifactId: string): Promise<
    Artifact & {
      versionId: string;
      bucket: string;
      project: string;
      mustBeGone: readonly string[];
      secretScan: SecretScan | null;
    }
  >;
  recordTest(test: TestRecord): Promise<void>;
  /**
   * Adds a copy to its original's build; answers its artifact's id, the same one when called again. Refused (`illegal_state`) where the
   * version is not complete or is revoked, and (`conflict`) where another image of it is in that place or the release that copied has
   * ended: the copy is to be taken away then.
   */
  recordCopy(copy: CopyRecord): Promise<string>;
}
