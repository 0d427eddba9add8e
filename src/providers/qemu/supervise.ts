/**
 * What this provider needs of a process supervisor. A run belongs to a folder, outlives whoever started it, happens at most
 * once per folder and is ended at its time limit. The composition root passes the implementation.
 */
export interface Supervise {
  /** Idempotent: of many calls one runs the command; the first `run` counts. */
  start(folder: string, run: SupervisedRun): Promise<SupervisedState>;
  state(folder: string): Promise<SupervisedState>;
  /** Returns when nothing of the run lives. */
  end(folder: string, options: { readonly graceMs: number }): Promise<SupervisedState>;
}

interface SupervisedRun {
  /** Absolute path of the program. */
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly timeLimitMs: number;
  /** Between SIGTERM and SIGKILL. Milliseconds. */
  readonly graceMs: number;
  /** File names inside the folder. */
  readonly stdout: string;
  readonly stderr: string;
}

export type SupervisedState =
  | { readonly kind: 'absent' }
  /** `started` is absent for the instant between lock and record. */
  | { readonly kind: 'running'; readonly started: { readonly startedAt: string } | undefined }
  | {
      readonly kind: 'finished';
      readonly status: {
        readonly exitCode: number | null;
        readonly signal: string | null;
        readonly endedBy: string;
        readonly error?: string;
      };
    }
  /** Started once, nothing of it lives, and its end was not seen. */
  | { readonly kind: 'lost' };
