import type { Actor } from '../../domain/actor.ts';
import type { RunTaskBehaviour } from '../../domain/registry-config.ts';
import type { ImageStanding } from '../../domain/run-task.ts';

/** Whose address run tasks are sent to. */
export interface RunTaskAddress {
  readonly project: string;
  readonly projectId: string;
  /** That the key is made from which signs them. */
  readonly salt: Uint8Array;
}

export interface WantedRunTask {
  readonly project: string;
  readonly state: 'pending' | 'passed' | 'failed' | 'given_up';
  readonly planUrl: string | null;
  readonly callbackUrl: string;
  /** Null: it is answered. */
  readonly sealedToken: Buffer | null;
  readonly onUntrackedImage: RunTaskBehaviour;
}

export interface RunTasks {
  /** Undefined: no project has this address. */
  address(apiId: string): Promise<RunTaskAddress | undefined>;
  /** Keeps the question, and has a workflow answer it. One that is known already, by `resultId`, is left alone. */
  accept(input: {
    id: string;
    project: string;
    resultId: string;
    planUrl: string | null;
    callbackUrl: string;
    sealedToken: Buffer;
    by: Actor;
  }): Promise<void>;
  /** Undefined: there is none of this id. */
  wanted(id: string): Promise<WantedRunTask | undefined>;
  /** Ends one that is pending. */
  end(id: string, state: 'passed' | 'failed' | 'given_up', message: string): Promise<void>;
  /** By external identifier; without those that the project does not have. */
  standings(project: string, ids: readonly string[]): Promise<ReadonlyMap<string, ImageStanding>>;
}
