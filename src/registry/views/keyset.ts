import { type RawBuilder, sql } from 'kysely';
import { Failure } from '../../domain/failure.ts';
import type { Db } from '../../store/store.ts';
import type { PageAsked, PageOf } from '../contract/pages.ts';

type Sql = RawBuilder<unknown>;

/** A list whose rows are one table's; the query calls it `t`. */
export interface Listed<Key extends string> {
  readonly table: 'bucket' | 'version' | 'assignment' | 'artifact';
  /** `from` and `where` of all that ever was in the list. */
  readonly scope: Sql;
  /** `and …`: what is shown of it. */
  readonly shown: Sql;
  /** Never null; each of `t`. */
  readonly keys: Readonly<Record<Key, (t: string) => Sql>>;
  readonly order: PageAsked<Key>['sort'];
  /** Tells rows apart that are equal in all the others. */
  readonly last: Key;
}

/** Ids of one page: the rows after the one that the page before ended with, found by that one's own keys. */
export async function pageOfIds<Key extends string>(
  db: Db,
  listed: Listed<Key>,
  { sort, limit, from }: PageAsked<Key>,
): Promise<PageOf<string>> {
  const wanted = sort.length === 0 ? listed.order : sort;
  const last = { key: listed.last, descending: wanted.at(-1)?.descending ?? false };
  const order = wanted.some(({ key }) => key === listed.last) ? wanted : [...wanted, last];
  const back = from?.back ?? false;
  const by = order.map(({ key, descending }) => ({ key: listed.keys[key], down: descending !== back }));
  if (from !== null) await checkPlace(db, listed, from.id);
  const { rows } = await sql<{ readonly id: string }>`
    select t.id ${listed.scope} ${listed.shown} ${from === null ? sql`` : sql`and ${isBeyond(listed.table, by, from.id)}`}
    order by ${sql.join(by.map(({ key, down }) => sql`${key('t')} ${down ? sql`desc` : sql`asc`}`))}
    limit ${limit + 1}`.execute(db);
  const more = rows.length > limit;
  const ids = rows.slice(0, limit).map(({ id }) => id);
  const items = back ? ids.toReversed() : ids;
  // The row that a page was asked from is on the page next to it.
  const [before, after] = back ? [more, true] : [from !== null, more];
  return { items, next: after ? (items.at(-1) ?? null) : null, previous: before ? (items[0] ?? null) : null };
}

interface By {
  readonly key: (t: string) => Sql;
  readonly down: boolean;
}

function isBeyond(table: string, by: readonly By[], id: string): Sql {
  const there = ({ key }: By) =>
    sql`(select ${key('place')} from ${sql.table(table)} place where place.id = ${id})`;
  return sql`(${sql.join(
    by.map((one, index) => {
      const same = by.slice(0, index).map((before) => sql`${before.key('t')} = ${there(before)} and `);
      return sql`(${sql.join(same, sql``)}${one.key('t')} ${one.down ? sql`<` : sql`>`} ${there(one)})`;
    }),
    sql` or `,
  )})`;
}

async function checkPlace(db: Db, { scope }: { readonly scope: Sql }, id: string): Promise<void> {
  const { rows } = await sql`select ${scope} and t.id = ${id}`.execute(db);
  if (rows.length === 0) throw new Failure('invalid_input', 'the page token is not one of this list');
}
