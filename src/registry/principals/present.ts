import { sql } from 'kysely';

/** This instant, by the clock of PostgreSQL, inside a statement. */
export const present = sql<string>`clock_timestamp()`;
