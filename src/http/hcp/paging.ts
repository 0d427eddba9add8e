/** Pages as HCP asks for them → the registry's, and back: tokens that say nothing to their reader, and are taken with the same list only. */
import { z } from 'zod';
import { Failure } from '../../domain/failure.ts';
import type { PageAsked, PageOf, SortedBy } from '../../registry/contract/pages.ts';

interface Query {
  readonly 'pagination.page_size'?: string | undefined;
  readonly 'pagination.next_page_token'?: string | undefined;
  readonly 'pagination.previous_page_token'?: string | undefined;
  readonly 'sorting.order_by'?: string | readonly string[] | undefined;
}

export interface ListOf<Key extends string> {
  /** Its operation: tokens of other ones are refused. */
  readonly operation: string;
  readonly keys: readonly Key[];
  /** What places in it are called; absent: by the id of an item. */
  readonly place?: RegExp;
}

const defaultSize = 50;
/** A larger one is taken as this, as Google's rules for APIs have it. */
const largestSize = 200;

const placeOfToken = z.tuple([z.string(), z.string(), z.string().max(600)]);
const byId = /^[\dA-Z]{26}(?:\.\d{1,6})?$/i;

export function pageOf<Key extends string>(
  list: ListOf<Key>,
  query: Query,
  /** What is given when no size is asked for. */
  whenUnasked = defaultSize,
): PageAsked<Key> {
  const sort = sortOf(list, query['sorting.order_by'] ?? []);
  const size = Number(query['pagination.page_size'] ?? 0);
  const next = query['pagination.next_page_token'] ?? '';
  const previous = query['pagination.previous_page_token'] ?? '';
  if (next !== '' && previous !== '') {
    throw new Failure('invalid_input', '`next_page_token` and `previous_page_token` exclude one another');
  }
  const token = next === '' ? previous : next;
  return {
    sort,
    limit: size === 0 ? whenUnasked : Math.min(size, largestSize),
    from: token === '' ? null : { id: read(token, list, sort), back: next === '' },
  };
}

/** `name, created_at desc`: ascending unless it says otherwise. */
function sortOf<Key extends string>(
  { keys }: ListOf<Key>,
  written: string | readonly string[],
): readonly SortedBy<Key>[] {
  const terms = [written]
    .flat()
    .flatMap((text) => text.split(','))
    .map((term) => term.trim())
    .filter((term) => term !== '');
  const sort = terms.map((term) => {
    const [, name, order = 'asc'] = /^(\S+)(?:\s+(asc|desc))?$/i.exec(term) ?? [];
    const key = keys.find((one) => one === name);
    if (key !== undefined) return { key, descending: order.toLowerCase() === 'desc' };
    throw new Failure(
      'invalid_input',
      `\`order_by\` takes ${keys.join(', ') || 'no key'} here, each with asc or desc after it; "${term.slice(0, 100)}" is none of them`,
    );
  });
  if (new Set(sort.map(({ key }) => key)).size < sort.length) {
    throw new Failure('invalid_input', '`order_by` names a key more than once');
  }
  return sort;
}

const orderOf = (sort: readonly SortedBy<string>[]): string =>
  sort.map(({ key, descending }) => `${descending ? '-' : ''}${key}`).join(',');

function read(
  token: string,
  { operation, place = byId }: ListOf<string>,
  sort: readonly SortedBy<string>[],
): string {
  const parsed = placeOfToken.safeParse(parseJson(Buffer.from(token, 'base64url').toString()));
  if (parsed.success) {
    const [of, order, id] = parsed.data;
    if (of === operation && order === orderOf(sort) && place.test(id)) return id;
  }
  throw new Failure('invalid_input', 'the page token is not one of this list in this order');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Tokens of a reply. */
export function paginationOf(
  { operation }: ListOf<string>,
  { sort }: Pick<PageAsked<string>, 'sort'>,
  { next, previous }: Pick<PageOf<unknown>, 'next' | 'previous'>,
) {
  const token = (id: string | null): string =>
    id === null ? '' : Buffer.from(JSON.stringify([operation, orderOf(sort), id])).toString('base64url');
  return { next_page_token: token(next), previous_page_token: token(previous) };
}

/** What is at hand as a whole, in the order that is asked for; equal ones stay as they are. */
export function sorted<Key extends string, Item extends { readonly [Name in Key]: string | null }>(
  all: readonly Item[],
  sort: readonly SortedBy<Key>[],
): readonly Item[] {
  return all.toSorted((a, b) => {
    for (const { key, descending } of sort) {
      const [one, other] = [a[key] ?? '', b[key] ?? ''];
      if (one !== other) return one < other === descending ? 1 : -1;
    }
    return 0;
  });
}

/** A page of what is at hand as a whole, in its own order. */
export function slice<Item extends { readonly id: string }>(
  all: readonly Item[],
  { limit, from }: Pick<PageAsked<never>, 'limit' | 'from'>,
): PageOf<Item> {
  const at = from === null ? -1 : all.findIndex(({ id }) => id === from.id);
  if (from !== null && at < 0) throw new Failure('invalid_input', 'the page token is not one of this list');
  const begin = from?.back === true ? Math.max(0, at - limit) : at + 1;
  const end = from?.back === true ? at : Math.min(all.length, begin + limit);
  return {
    items: all.slice(begin, end),
    next: end < all.length ? (all[end - 1]?.id ?? null) : null,
    previous: begin > 0 ? (all[begin]?.id ?? null) : null,
  };
}
