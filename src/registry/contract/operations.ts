/** Where work stands that a client was told the id of. Nothing is kept for it: the id is that of what was changed. */
export interface OperationView {
  readonly id: string;
  /** `pending` before a revocation's date, `running` until its effect is written in the registry; whatever else was changed is `done`. */
  readonly state: 'pending' | 'running' | 'done';
  /** Null: of the project as a whole. */
  readonly bucket: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface Operations {
  /** By the id of a revocation, a version or a project's registry; `not_found` where the project has none of them by this id. */
  find(project: string, id: string): Promise<OperationView>;
}
