/** Pages of lists. A place in a list is the id of an item: ids stay when names and dates change, and after a deletion too. */

export interface SortedBy<Key extends string> {
  readonly key: Key;
  readonly descending: boolean;
}

export interface PageAsked<Key extends string> {
  /** In order of precedence; empty: the list's own order. */
  readonly sort: readonly SortedBy<Key>[];
  readonly limit: number;
  /** Only what comes after this item, or (`back`) before it. `invalid_input` where it was never in the list. */
  readonly from: { readonly id: string; readonly back: boolean } | null;
}

export interface PageOf<Item> {
  readonly items: readonly Item[];
  /** Where the next page goes on from; null at the end. */
  readonly next: string | null;
  readonly previous: string | null;
}
