import type { Target } from '../../domain/target.ts';

/** What is about to be made, written before it is made, closed when it is gone or became an image of the registry. */
export interface LedgerEntry {
  readonly id: string;
  /** The bake attempt, launch or promotion it belongs to. */
  readonly owner: string;
  readonly kind: 'packer' | 'machine' | 'image' | 'credential';
  /** The mark that finds it: attempt id, launch id. */
  readonly mark: string;
  readonly target: Target | null;
  readonly state: 'open' | 'closed';
  readonly createdAt: string;
  readonly closedAt: string | null;
}

export interface Ledger {
  open(entry: {
    id: string;
    owner: string;
    kind: LedgerEntry['kind'];
    mark: string;
    target: Target | null;
  }): Promise<void>;
  close(id: string): Promise<void>;
  /** All but its credentials: each of those is closed by whoever has ended it. */
  closeOwner(owner: string): Promise<void>;
  listOpen(filter?: { owner?: string; olderThanMs?: number }): Promise<readonly LedgerEntry[]>;
}
