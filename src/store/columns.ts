import type { ColumnType } from 'kysely';

/** `timestamptz(3)`, read and written as ISO 8601 in UTC with milliseconds. */
export type Instant = string;

/** Filled by the database when absent on insert. */
export type Defaulted<T> = ColumnType<T, T | undefined, T>;

/** `jsonb`: read parsed, written as text, because pg turns arrays into PostgreSQL arrays. */
export type Json<T> = ColumnType<T, string, string>;
export type NullableJson<T> = ColumnType<T | null, string | null | undefined, string | null>;
export type DefaultedJson<T> = ColumnType<T, string | undefined, string>;

/** Written once, at insert. */
export type Fixed<T> = ColumnType<T, T, never>;

export type Labels = Readonly<Record<string, string>>;
