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
      [event.versionId ?? null, ...(heirs.get(event.subjectId ?? '') ?? [])]
        .filter((versionId, at, all) => all.indexOf(versionId) === at)
        .map((versionId) => ({ eventId: id, event, action, versionId })),
    ),
  );
}

function actionsOf({ kind, data }: NewEvent): readonly WebhookAction[] {
  return kind === 'revocation.lifted' && data?.['afterEffect'] !== true
    ? ['cancel-revocation']
    : (actions[kind] ?? []);
}

/** Only the root's change is an event; its effect is one for each heir. */
const ofRoot = new Set<string>(['revocation.scheduled', 'revocation.rescheduled', 'revocation.lifted']);

async function heirsOf(tx: Tx, written: readonly Written[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const roots = written.flatMap(({ event }) =>
    ofRoot.has(event.kind) && typeof event.subjectId === 'string' ? [event.subjectId] : [],
  );
  if (roots.length === 0) return new Map();
  const { rows } = await sql<{ rootId: string; versionIds: readonly string[] }>`
    select root_id as "rootId", json_agg(version_id order by version_id) as "versionIds"
    from revocation where root_id = any(${roots}::text[]) group by root_id`.execute(tx);
  return new Map(rows.map(({ rootId, versionIds }) => [rootId, versionIds]));
}
