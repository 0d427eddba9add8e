import type { RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { PageAsked, PageOf } from '../contract/pages.ts';

type Sql = RawBuilder<unknown>;

/**
 * Where a page begins, and how many rows are read for it: one more than it takes. `columns`: what the list is sorted by, the last one telling
 * equal rows apart. `place`: the values that the row has there from which the page is asked.
 */
export function pageClauses(
  { sort, limit, from }: PageAsked<string>,
  columns: readonly string[],
  place: Sql,
): { readonly where: Sql; readonly order: Sql } {
  const down = (sort[0]?.descending ?? false) !== (from?.back ?? false);
  const refs = columns.map((column) => sql.ref(column));
  return {
    where: from === null ? sql`true` : sql`(${sql.join(refs)}) ${down ? sql`<` : sql`>`} (${place})`,
    order: sql`order by ${sql.join(refs.map((ref) => (down ? sql`${ref} desc` : ref)))} limit ${limit + 1}`,
  };
}

/** `rows`: as they were read, one more than the page takes where there are as many. */
export function toPage<Row>(
  rows: readonly Row[],
  { limit, from }: PageAsked<string>,
  placeOf: (row: Row) => string,
): PageOf<Row> {
  const kept = rows.slice(0, limit);
  const items = from?.back === true ? kept.toReversed() : kept;
  const more = rows.length > limit;
  // The row that a page was asked from is on the page next to it.
  const [before, after] = from?.back === true ? [more, true] : [from !== null, more];
  const [first, last] = [items[0], items.at(-1)];
  return {
    items,
    next: after && last !== undefined ? placeOf(last) : null,
    previous: before && first !== undefined ? placeOf(first) : null,
  };
}
