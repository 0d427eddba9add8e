import type { Actor } from '../../domain/actor.ts';

/** What holds projects together: their principals may be given roles in one another, and in no other organization's. */
export interface Organization {
  /** A UUID, as HCP's clients demand it. */
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
}

export interface Project {
  /** A UUID. */
  readonly id: string;
  /** Unique in the installation, so that events, receipts and ids of workflows tell it apart by it. */
  readonly name: string;
  readonly createdAt: string;
}

export interface Tenancy {
  /** All of the installation, oldest first, each with its projects. */
  organizations(): Promise<readonly (Organization & { readonly projects: readonly Project[] })[]>;
  /** The name of an organization's project, both by their ids, or of whichever organization's; undefined where there is none. Asked for at every call of HCP's clients. */
  projectById(organizationId: string | undefined, projectId: string): Promise<string | undefined>;
  /** `not_found` when there is none. */
  project(name: string): Promise<Project & { readonly organization: Organization }>;
  /**
   * Makes the project, and its organization with the first one. There already: answers it, and refuses with `already_exists` when it is
   * another organization's.
   */
  createProject(input: { project: string; organization: string; by: Actor }): Promise<Project>;
}
