/** What this database belongs to. */
export interface Installation {
  /**
   * The id of the Temporal namespace whose workflows this registry speaks of: the first one that was ever named, until another one is
   * named as the one to move to.
   */
  temporalNamespace(present: string, moveTo?: string): Promise<string>;
}
