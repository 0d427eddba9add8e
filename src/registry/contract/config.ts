import type { Actor } from '../../domain/actor.ts';
import type { RunTaskBehaviour, Tier } from '../../domain/registry-config.ts';

/** What registry clients set for a project as a whole. */
export interface RegistryConfig {
  readonly id: string;
  readonly tier: Tier;
  /** Null: it is activated. */
  readonly deactivatedAt: string | null;
  readonly runTask: {
    /** In the address that run tasks are sent to. */
    readonly apiId: string;
    /** 32 bytes, that the key of run tasks is made from. */
    readonly salt: Uint8Array;
    readonly onUntrackedImage: RunTaskBehaviour;
  };
  /** The project's: every one has its registry from its start. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface ConfigChange {
  readonly activated?: boolean;
  readonly tier?: Tier;
  readonly onUntrackedImage?: RunTaskBehaviour;
}

/** `project` is a name; `not_found` where there is none. */
export interface Config {
  get(project: string): Promise<RegistryConfig>;
  /** Activates what is not. `already_exists` when it is activated already, with another tier. */
  create(input: { project: string; tier?: Tier; by: Actor }): Promise<RegistryConfig>;
  change(input: { project: string; by: Actor } & ConfigChange): Promise<RegistryConfig>;
  /** Another key for run tasks from now on; the same salt again changes nothing. */
  replaceRunTaskSalt(input: { project: string; salt: Uint8Array; by: Actor }): Promise<RegistryConfig>;
  /**
   * `illegal_state` when registry clients are to be refused. Asked for at every call of theirs: what another server changed is known within a
   * second.
   */
  requireActivated(project: string): Promise<void>;
}
