import { sql } from 'kysely';
import type { WebhookAction } from '../../domain/webhook.ts';
import type { Tx } from '../../store/store.ts';
import type { NewEvent } from '../record.ts';

/** One thing that is told, of one version; of none where a channel was emptied. */
export interface News {
  readonly eventId: string;
  readonly event: NewEvent;
  readonly action: WebhookAction;
  readonly versionId: string | null;
}

interface Written {
  readonly id: string;
  readonly event: NewEvent;
}

const actions: Readonly<Record<string, readonly WebhookAction[]>> = {
  'version.opened': ['create'],
  // Its channel `latest` moves with it, which no event of its own says.
  'version.completed': ['complete', 'assign'],
  'version.deleted': ['delete'],
  'channel.assigned': ['assign'],
  'revocation.effective': ['revoke'],
  'revocation.scheduled': ['schedule-revocation'],
  'revocation.rescheduled': ['schedule-revocation'],
  'revocation.lifted': ['restore'],
};

/** Whether any webhook could be told of it. */
export const isTold = ({ kind, data }: NewEvent): boolean =>
  // What is replaced goes on as what replaces it.
  actions[kind] !== undefined && !(kind === 'revocation.lifted' && data?.['replacedBy'] !== undefined);

/** What there is to tell of events, those of a revocation for each version that inherits it as well. */
export async function newsOf(tx: Tx, written: readonly Written[]): Promise<readonly News[]> {
  const heirs = await heirsOf(tx, written);
  return written.flatMap(({ id, event }) =>
    actionsOf(event).flatMap((action) =>
      [...new Set([event.versionId ?? null, ...(heirs.get(event.subjectId ?? '') ?? [])])].map(
        (versionId) => ({ eventId: id, event, action, versionId }),
      ),
    ),
  );
}

function actionsOf({ kind, data }: NewEvent): readonly WebhookAction[] {
  return kind === 'revocation.lifted' && data?.['afterEffect'] !== true
    ? ['cancel-revocation']
    : (actions[kind] ?? []);
}

/** Only the leading record's change is an event; its effect is one for each heir. */
const ofLeading = new Set<string>(['revocation.scheduled', 'revocation.rescheduled', 'revocation.lifted']);

async function heirsOf(tx: Tx, written: readonly Written[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const leading = written.flatMap(({ event }) =>
    ofLeading.has(event.kind) && typeof event.subjectId === 'string' ? [event.subjectId] : [],
  );
  if (leading.length === 0) return new Map();
  // What was inherited from a deleted version leads its own lift: its heirs hold the same root, and were lifted with it.
  const { rows } = await sql<{ recordId: string; versionIds: readonly string[] }>`
    select l.id as "recordId", json_agg(r.version_id order by r.version_id) as "versionIds"
    from revocation l join revocation r on r.root_id = l.root_id and (l.id = l.root_id or r.lifted_at = l.lifted_at)
    where l.id = any(${leading}::text[]) group by l.id`.execute(tx);
  return new Map(rows.map(({ recordId, versionIds }) => [recordId, versionIds]));
}
