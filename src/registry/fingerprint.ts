import { sql } from 'kysely';

/** As it was given: deleting a version frees its fingerprint by a prefix, which is nobody's business. */
export const givenFingerprint = (column: string) =>
  sql<string>`regexp_replace(${sql.ref(column)}, '^deleted/[^/]+/', '')`;
