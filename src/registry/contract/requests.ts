import type { Actor } from '../../domain/actor.ts';
import type { FailureReport } from '../../domain/failure.ts';
import type { ImageLine, TemplatePin } from '../../domain/image-line.ts';
import type { BakeRequest, ParentPin, RequestKind } from '../../domain/version.ts';

export interface AcceptRequest {
  readonly project: string;
  readonly bucket: string;
  readonly kind: RequestKind;
  /** Absent: a fresh request. */
  readonly key?: string;
  /** Over the line's own; unknown names are refused by the template check. */
  readonly variables: Readonly<Record<string, string>>;
  /** The commit the caller resolved `ref` to; required when the line's template is from git. */
  readonly commit?: string;
  /**
   * Set by a workflow that was started by hand: the new request is held by this workflow and no delivery is written.
   * Absent: the request gets its own workflow id and a `start` delivery.
   */
  readonly heldBy?: string;
  readonly by: Actor;
}

/** What acceptance fixed; every attempt bakes exactly this. */
export interface RequestPins {
  readonly line: ImageLine;
  /** Null: nothing is baked, the request adopts a version. */
  readonly template: TemplatePin | null;
  readonly variables: Readonly<Record<string, string>>;
  readonly parents: readonly ParentPin[];
}

export interface AcceptedRequest {
  readonly request: BakeRequest;
  /** `new`, `next_attempt` of a failed, cancelled or abandoned one, or `existing` (open or successful: nothing was done). */
  readonly outcome: 'new' | 'next_attempt' | 'existing';
}

export interface RequestOutcome {
  readonly state: 'succeeded' | 'failed' | 'cancelled' | 'abandoned';
  readonly failure?: FailureReport;
  /** What it ended with, for people. By default the state, and where it stood when it did not succeed. */
  readonly stage?: string;
}

export interface Requests {
  /** Refuses (`illegal_state`) while a parent channel is unassigned or its version revoked, naming both. */
  accept(input: AcceptRequest): Promise<AcceptedRequest>;
  get(project: string, requestId: string): Promise<BakeRequest>;
  /** Where only the id is known: a workflow is started with it. */
  byId(requestId: string): Promise<BakeRequest>;
  pins(requestId: string): Promise<RequestPins>;
  list(
    project: string,
    filter: { bucket?: string; state?: string; limit?: number },
  ): Promise<readonly BakeRequest[]>;
  /** For people; ignored once the attempt has ended. */
  setStage(requestId: string, attempt: number, stage: string): Promise<void>;
  /** Asked for by one who has claimed the work: of a cancellation at the same moment either this tells, or its message goes to the claim. */
  isCancelWanted(requestId: string, attempt: number): Promise<boolean>;
  /** Sends a cancellation to the request's workflow and to whoever claimed its work. Nothing when the request has ended. */
  cancel(project: string, requestId: string, by: Actor): Promise<BakeRequest>;
  /** Ends one attempt; a second end changes nothing. `abandoned` also cancels its running version. */
  finish(requestId: string, attempt: number, outcome: RequestOutcome): Promise<void>;
  /** For the reaper, oldest first. */
  openAttempts(limit: number): Promise<readonly OpenAttempt[]>;
}

export interface OpenAttempt {
  readonly requestId: string;
  readonly attempt: number;
  readonly workflowId: string;
  /** Its workflow is not started yet: the start waits in the outbox. */
  readonly startPending: boolean;
}
