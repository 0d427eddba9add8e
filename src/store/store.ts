import type { Kysely, Transaction } from 'kysely';
import type { Pool } from 'pg';
import type { Database } from './database.ts';

/** An open database. */
export interface Store {
  /** For reads, and for single statements on rows that no transaction holds. */
  readonly db: Kysely<Database>;
  /** For transactions, and statements on rows that they lock, on connections of their own: those that wait for a lock, however many, keep no read waiting. */
  readonly changes: Kysely<Database>;
  readonly pool: Pool;
  /** Host, port and database, for people: no user, no password. */
  readonly address: string;
  /** As given, password included: for a connection of one's own (LISTEN). Never to be logged. */
  readonly url: string;
  close(): Promise<void>;
}

export type Tx = Transaction<Database>;

/** Either: reads work inside and outside a transaction. */
export type Db = Kysely<Database>;
