import { sql } from 'kysely';
import type { Tx } from '../../store/store.ts';

/**
 * Promotions state the assignment they were asked against. Where the registry itself moved the channel (a revocation took effect) or
 * an earlier promotion ended first, nobody decided against the later ones: they stand against the row that took its place. A change
 * made by a person lets them fail.
 */
export async function rebasePromotions(
  tx: Tx,
  replaced: readonly { readonly from: string; readonly to: string }[],
): Promise<void> {
  if (replaced.length === 0) return;
  await sql`
    update promotion p set expected_assignment_id = m.new
    from unnest(${replaced.map(({ from }) => from)}::text[], ${replaced.map(({ to }) => to)}::text[]) as m (old, new)
    where p.expected_assignment_id = m.old and p.ended_at is null`.execute(tx);
}
