import type { Actor } from './actor.ts';
import type { FailureReport } from './failure.ts';
import type { TemplatePin } from './image-line.ts';
import type { RevocationStatus } from './revocation.ts';
import type { ImageRef } from './target.ts';

export type VersionState = 'running' | 'complete' | 'failed' | 'cancelled';
/** Of what a template was written in, when Packer told it. */
export type TemplateType = 'HCL2' | 'JSON';
export type BuildState = 'pending' | 'running' | 'done' | 'failed' | 'cancelled';

/** What was last seen of an image in its target. `unknown` counts as present: only a proof of absence removes it. */
export type LastKnown = 'unknown' | 'present' | 'disabled' | 'missing' | 'deleted';

/** A version of a bucket as every reader sees it. Times are ISO 8601 in UTC. */
export interface Version {
  readonly id: string;
  readonly project: string;
  readonly bucket: string;
  readonly fingerprint: string;
  /** Given at completion, dense per bucket, never given twice; null before. */
  readonly number: number | null;
  /** `v3`, or `v0` until complete. */
  readonly name: string;
  readonly state: VersionState;
  readonly failure: FailureReport | null;
  /** That baked it, or that adopted it. */
  readonly requestId: string | null;
  readonly template: TemplatePin | null;
  readonly createdAt: string;
  readonly completedAt: string | null;
  readonly builds: readonly Build[];
  readonly parents: readonly ParentPin[];
  /** Every artifact that is no copy passed its latest test launch (false while there is none). */
  readonly tested: boolean;
  /** Every artifact was seen present and launchable after the bake or after its last restore. */
  readonly verified: boolean;
  readonly revocation: RevocationStatus;
}

export interface Build {
  readonly id: string;
  /** Packer source, `qemu.base`. */
  readonly source: string;
  readonly state: BuildState;
  readonly failure: FailureReport | null;
  readonly artifacts: readonly Artifact[];
}

export interface Artifact {
  readonly id: string;
  readonly image: ImageRef;
  readonly digest: string | null;
  readonly sizeBytes: number | null;
  readonly lastKnown: LastKnown;
  readonly test: TestSummary | null;
  /** The artifact that it is a copy of, whose tests are its own; null where Packer made it. */
  readonly copiedFrom: string | null;
}

/** Whether secrets of a bake are on an image's disk. Names of variables only; no value leaves the bake host. */
export interface SecretScan {
  readonly lookedFor: readonly string[];
  readonly found: readonly string[];
  /** Not looked for: texts as short as theirs are on every disk. */
  readonly tooShort: readonly string[];
  /** Why the disk could not be looked at. */
  readonly problem?: string;
}

/** The latest test launch of an artifact. */
export interface TestSummary {
  readonly id: string;
  readonly passed: boolean;
  readonly bootMs: number | null;
  readonly endedAt: string;
  readonly checks: readonly CheckResult[];
}

export interface CheckResult {
  readonly name: string;
  readonly passed: boolean;
  /** What was seen, bounded to 2 KiB. */
  readonly detail: string;
}

/** The parent version a bake was pinned to, and the variable that received its artifact. */
export interface ParentPin {
  readonly versionId: string;
  readonly bucket: string;
  readonly versionName: string;
  readonly channel: string | null;
  readonly variable: string | null;
}

export type RequestKind = 'release' | 'bake';
export type RequestState = 'open' | 'succeeded' | 'failed' | 'cancelled' | 'abandoned';

/** A caller's wish for one bake or release; repeated with the same key it is the same request. */
export interface BakeRequest {
  readonly id: string;
  readonly project: string;
  readonly bucket: string;
  readonly kind: RequestKind;
  /** Unique per project. By default made from pipeline id and line, else fresh. */
  readonly key: string;
  readonly state: RequestState;
  /** From 1. A repeat of a failed, cancelled or abandoned request is the next attempt, with the same pins. */
  readonly attempt: number;
  readonly workflowId: string;
  /** The version of the present attempt, as soon as it is opened. */
  readonly versionId: string | null;
  /** Completed by somebody else and taken up from there, in every attempt: nothing is baked. Null: it bakes. */
  readonly adoptedVersionId: string | null;
  /** Where it stands, for people: `waiting for a bake host`, `packer: qemu.base`, `test launch` … */
  readonly stage: string;
  readonly cancelWanted: boolean;
  readonly failure: FailureReport | null;
  readonly by: Actor;
  readonly createdAt: string;
  readonly endedAt: string | null;
}
