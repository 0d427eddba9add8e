/** What a principal may do; each role includes the ones before it. */
export const roles = ['viewer', 'contributor', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Whether the role that is held, if any, includes the one that is needed. */
export const includesRole = (held: Role | undefined, needed: Role): boolean =>
  held !== undefined && roles.indexOf(held) >= roles.indexOf(needed);

/** The highest of those held in different places; undefined where none is. */
export const highestRole = (held: readonly Role[]): Role | undefined =>
  roles.findLast((role) => held.includes(role));
