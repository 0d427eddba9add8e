/** The nouns of a bake attempt: what the runner is given, and what it answers. All plain JSON, except template content. */
import type { FailureReport } from '../domain/failure.ts';
import type { TemplatePin } from '../domain/image-line.ts';
import type { TemplateFiles } from '../domain/template-digest.ts';

/** What a request pinned, with the content where that is not in git. `entry`: `.` for the folder, else a file or folder. */
export type AttemptTemplate =
  | (Extract<TemplatePin, { kind: 'snapshot' }> & { readonly files: TemplateFiles })
  | Extract<TemplatePin, { kind: 'git' }>;

export type VariableValue =
  string | number | boolean | null | readonly VariableValue[] | { readonly [key: string]: VariableValue };

export interface AttemptInput {
  /** Fixed before anything is made. */
  readonly mark: { readonly bakeId: string; readonly attemptId: string; readonly imageName: string };
  readonly template: AttemptTemplate;
  /** Must all be declared by the template: the line's own, the caller's, those that receive a parent's image. */
  readonly variables: Readonly<Record<string, VariableValue>>;
  /** Passed where the template declares them: a provider's seed disk and key, `attempt_id`. */
  readonly offered?: Readonly<Record<string, VariableValue>>;
  /** Names among both whose values are kept out of logs; variables that the template calls sensitive always are. */
  readonly secret?: readonly string[];
  /** Sources to build (`qemu.base`); empty means all. */
  readonly only: readonly string[];
  readonly timeLimitMs: number;
  /** ISO instant of this host's clock: Packer has ended by then, or is not begun, however long bringing the template takes. */
  readonly notAfter?: string;
  /** What Packer is given to clean up when it is ended. Default two minutes. */
  readonly graceMs?: number;
  /** Credentials made for this attempt. Nothing else of our own environment reaches Packer. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Names in it whose values are no secrets. */
  readonly openEnvironment?: readonly string[];
}

export interface BegunAttempt {
  readonly attemptId: string;
  readonly packer: { readonly path: string; readonly version: string };
  readonly sources: readonly string[];
  /** ISO instants. Absent: the attempt was cancelled before it began. */
  readonly startedAt?: string;
  readonly deadlineAt?: string;
}

/** Structurally a provider's `PackerArtifact`. */
export interface MadeArtifact {
  readonly source: string;
  readonly builderType: string;
  readonly artifactId: string;
  /** Absolute paths. */
  readonly files: readonly string[];
}

export interface SourceOutcome {
  readonly source: string;
  readonly state: 'done' | 'failed';
  /** Also of a failed source there may be some; they are to be swept. */
  readonly artifacts: readonly MadeArtifact[];
  readonly error?: string;
}

export interface AttemptOutcome {
  readonly attemptId: string;
  /**
   * `succeeded`: every source is done. `partly`: some are. `lost`: Packer and its supervisor were killed, and how Packer
   * ended is not known; sources are then `done` only where the manifest proves it.
   */
  readonly ended: 'succeeded' | 'partly' | 'failed' | 'cancelled' | 'time limit' | 'lost';
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly sources: readonly SourceOutcome[];
  readonly packerVersion: string;
  /** Absent exactly when it succeeded. */
  readonly failure?: FailureReport;
}

export interface AttemptProgress {
  readonly phase: 'starting' | 'building' | 'post-processing' | 'ended';
  readonly lastLine: string;
  readonly sources: Readonly<Record<string, 'waiting' | 'building' | 'done' | 'failed'>>;
  /** Bytes of human log text so far. */
  readonly logBytes: number;
}

export interface WatchOptions {
  /** When it aborts, watching stops and its reason is thrown. Packer is never ended by it. */
  readonly signal: AbortSignal;
  /** Several times a second: a heartbeat. */
  onProgress?(progress: AttemptProgress): void;
  /**
   * Whole lines of human text without secrets, with the byte offset at which they stand in the log. Watching again gives
   * the same text at the same offsets, so storing by offset is idempotent.
   */
  onLog?(offset: number, text: string): void | Promise<void>;
  /** Text before this offset is stored already. */
  readonly logFrom?: number;
}

export interface LocalAttempt {
  readonly attemptId: string;
  /** Null while its folder is being prepared, or when that was interrupted. */
  readonly bakeId: string | null;
  readonly imageName: string | null;
  /** `starting`: what Packer gets is written down, and whoever was to start it died; only that may be started. */
  readonly state: 'prepared' | 'starting' | 'running' | 'finished' | 'lost';
  readonly startedAt: string | null;
  readonly deadlineAt: string | null;
}
