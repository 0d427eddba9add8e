/**
 * Search attributes of our workflows: names and ids only, because Temporal never encrypts them. All are `Keyword`; a server must
 * know them before the first workflow starts.
 */
export const searchAttributes = {
  bucket: 'BakehouseBucket',
  /** `v3`, or the fingerprint while there is no number. */
  version: 'BakehouseVersion',
  channel: 'BakehouseChannel',
  /** Where the workflow stands, one word of its own: `baking`, `waiting`. */
  phase: 'BakehousePhase',
} as const;

export const searchAttributeNames: readonly string[] = Object.values(searchAttributes);
