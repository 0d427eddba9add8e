import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import type { EffectiveAssignment } from '../../domain/channel.ts';
import type { Tx } from '../../store/store.ts';
import { moveByHand } from '../channels/assign.ts';
import { rebasePromotions } from '../channels/rebase-promotions.ts';
import { newestUsable, wholeHistory } from '../channels/roll-back.ts';
import { historyOf, type ChannelRow } from '../channels/rows.ts';
import { versionName } from '../lookup.ts';
import { loadStandings } from '../status.ts';
import type { VersionIdentity } from '../version-identity.ts';

/** Takes a channel off a version that was just deleted: `latest` to the newest usable one, others to the newest usable one before it. */
export async function leaveDeleted(
  tx: Tx,
  channel: ChannelRow,
  version: VersionIdentity,
  { by, now }: { readonly by: Actor; readonly now: string },
): Promise<void> {
  const history = await wholeHistory(tx, channel.id);
  const to = channel.managed
    ? await newestOf(tx, channel.bucketId, now)
    : await newestUsable(tx, history, now);
  const from: EffectiveAssignment = {
    versionId: version.id,
    versionName: version.name,
    assignmentId: history[0]?.id ?? null,
    revoked: false,
    derived: false,
  };
  await moveByHand(tx, channel, from, {
    version: to,
    cause: to === null ? 'unassigned' : 'rolled_back',
    reason: `${version.name} was deleted`,
    by,
    now,
  });
  const left = history[0]?.id;
  const [row] = await historyOf(tx, channel.id, 1);
  // Nobody decided against the promotions that wait there.
  if (left !== undefined && row !== undefined) await rebasePromotions(tx, [{ from: left, to: row.id }]);
}

const atOnce = 50;

/** The newest complete version that is neither deleted nor revoked. */
async function newestOf(
  tx: Tx,
  bucketId: string,
  now: string,
): Promise<{ readonly id: string; readonly name: string } | null> {
  for (let below = 2_147_483_647; ;) {
    const { rows } = await sql<{ id: string; number: number }>`
      select id, number from version
      where bucket_id = ${bucketId} and number < ${below} and deleted_at is null order by number desc limit ${atOnce}`.execute(
      tx,
    );
    const standings = await loadStandings(
      tx,
      rows.map(({ id }) => id),
      now,
    );
    const found = rows.find(({ id }) => standings.get(id)?.status.state !== 'revoked');
    if (found !== undefined) return { id: found.id, name: versionName(found.number) };
    const last = rows.at(-1);
    if (last === undefined || rows.length < atOnce) return null;
    below = last.number;
  }
}
