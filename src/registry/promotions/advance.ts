import { ulid } from 'ulid';
import type { Actor } from '../../domain/actor.ts';
import type { GateVerdict } from '../../domain/channel.ts';
import { Failure } from '../../domain/failure.ts';
import { gateVerdict } from '../../domain/gates.ts';
import type { WhyUnreached } from '../../domain/target.ts';
import type { Db, Tx } from '../../store/store.ts';
import { rebasePromotions } from '../channels/rebase-promotions.ts';
import { appendAssignment, channelById, type ChannelRow } from '../channels/rows.ts';
import {
  lockWhatIsLeft,
  refuseUnexpected,
  usableVersion,
  type LockedChannel,
} from '../channels/take-version.ts';
import { record } from '../record.ts';
import { loadEffective, loadStandings } from '../status.ts';
import { identify } from '../version-identity.ts';
import { endPromotion } from './end-promotion.ts';
import { gateFacts, unreachedImages } from './facts.ts';
import { openPromotions } from './request.ts';
import { getPromotion, type PromotionRow } from './rows.ts';

/** How the gates stand at `now`. What has ended, or can no longer come to a good end, is refused. */
export async function gatesOf(
  db: Db,
  promotionId: string,
  now: string,
  whyUnreached?: WhyUnreached,
): Promise<GateVerdict> {
  const row = await getPromotion(db, promotionId);
  if (row.ended_at !== null && row.state !== 'done') {
    return { verdict: 'refuse', reasons: [row.detail === '' ? `it was ${row.state}` : row.detail] };
  }
  if (row.state !== 'waiting') return { verdict: 'ready' };
  const channel = await channelById(db, row.channel_id);
  const version = await identify(db, row.version_id);
  const status = (await loadStandings(db, [version.id], now)).get(version.id)?.status;
  if (status?.state === 'revoked') {
    return {
      verdict: 'refuse',
      reasons: [`${version.name} was revoked on ${status.at ?? now}: ${status.reason ?? 'no reason given'}`],
    };
  }
  const effective = (await loadEffective(db, [channel.id], now)).get(channel.id);
  // A derived one is a revocation that is due and not written yet; when it is, the promotion stands against the new row.
  if (effective?.derived === false && effective.assignmentId !== row.expected_assignment_id) {
    return { verdict: 'refuse', reasons: [movedDetail(channel, effective.versionName)] };
  }
  const facts = await gateFacts(db, channel, version, row, now);
  if (whyUnreached === undefined) return gateVerdict(facts);
  return gateVerdict({ ...facts, unreached: await unreachedImages(db, version.id, whyUnreached) });
}

/** From waiting to publishing. An older promotion that still publishes gives way: one promotion per channel is wanted in the places. */
export async function beginPublishing(tx: Tx, promotionId: string): Promise<void> {
  const { row, locked } = await lockPromotion(tx, promotionId);
  if (row.state === 'publishing') return;
  refuseEnded(row);
  const { channel, now } = locked;
  await check(tx, row, locked);
  const others = (await openPromotions(tx, channel.id)).filter((one) => one.id !== row.id);
  for (const other of others) {
    await endPromotion(tx, other, channel, {
      state: 'superseded',
      detail: `superseded by the promotion ${row.id}`,
      by: row.actor,
      now,
      wake: true,
    });
  }
  await tx
    .updateTable('promotion')
    .set({ state: 'publishing', publishing_at: now })
    .where('id', '=', row.id)
    .execute();
}

/** Assigns the channel. */
export async function complete(tx: Tx, promotionId: string): Promise<void> {
  const { row, locked } = await lockPromotion(tx, promotionId);
  if (row.state === 'done') return;
  refuseEnded(row);
  if (row.state !== 'publishing') {
    throw new Failure(
      'illegal_state',
      `Promotion ${row.id} has not begun to publish: begin that first, so that its gates are checked.`,
    );
  }
  const { channel, now, effective } = locked;
  const version = await check(tx, row, locked);
  if (effective.versionId !== version.id) {
    const assignmentId = ulid();
    await appendAssignment(tx, {
      id: assignmentId,
      channelId: channel.id,
      version,
      cause: 'promoted',
      reason: row.reason,
      promotionId: row.id,
      by: row.actor,
      at: now,
    });
    await record(tx, {
      kind: 'channel.assigned',
      project: channel.project,
      bucket: channel.bucket,
      versionId: version.id,
      subjectId: channel.id,
      data: {
        channel: channel.name,
        cause: 'promoted',
        from: effective.versionName,
        to: version.name,
        promotionId: row.id,
      },
      by: row.actor,
      at: now,
    });
    if (effective.assignmentId !== null) {
      await rebasePromotions(tx, [{ from: effective.assignmentId, to: assignmentId }]);
    } else {
      await rebaseFirst(tx, channel.id, assignmentId);
    }
  }
  await endPromotion(tx, row, channel, { state: 'done', detail: '', by: row.actor, now, wake: false });
}

/** Later promotions of a channel that had no history stand against its first row. */
async function rebaseFirst(tx: Tx, channelId: string, assignmentId: string): Promise<void> {
  await tx
    .updateTable('promotion')
    .set({ expected_assignment_id: assignmentId })
    .where('channel_id', '=', channelId)
    .where('expected_assignment_id', 'is', null)
    .where('ended_at', 'is', null)
    .execute();
}

/** Ends it without assigning. One that has ended stays as it is. */
export async function end(
  tx: Tx,
  promotionId: string,
  state: 'refused' | 'rejected' | 'superseded' | 'failed',
  detail: string,
): Promise<void> {
  const { row, locked } = await lockPromotion(tx, promotionId);
  if (row.ended_at !== null) return;
  await endPromotion(tx, row, locked.channel, {
    state,
    detail,
    by: row.actor,
    now: locked.now,
    wake: false,
  });
}

/** A person's refusal. */
export async function reject(tx: Tx, promotionId: string, reason: string, by: Actor): Promise<void> {
  const { row, locked } = await lockPromotion(tx, promotionId);
  if (row.state === 'rejected') return;
  if (row.state !== 'waiting') {
    const when = row.state === 'publishing' ? 'is being published' : `has ended (${row.state})`;
    throw new Failure(
      'illegal_state',
      `Promotion ${row.id} ${when} and can no longer be rejected. Roll the channel back instead.`,
    );
  }
  const { channel, now } = locked;
  await endPromotion(tx, row, channel, {
    state: 'rejected',
    detail: `rejected by ${by.name}: ${reason}`,
    by,
    now,
    wake: true,
  });
}

export async function lockPromotion(
  tx: Tx,
  promotionId: string,
): Promise<{ row: PromotionRow; locked: LockedChannel }> {
  const { channel_id: channelId } = await getPromotion(tx, promotionId);
  const locked = await lockWhatIsLeft(tx, await channelById(tx, channelId));
  return { row: await getPromotion(tx, promotionId), locked };
}

/** The version is usable, the channel is where the promotion expects it, the gates are open: each at this instant, under the lock. */
async function check(tx: Tx, row: PromotionRow, { channel, now, effective }: LockedChannel) {
  const version = await usableVersion(tx, channel, row.version_id, now);
  refuseUnexpected(channel, effective, row.expected_assignment_id);
  const verdict = gateVerdict(await gateFacts(tx, channel, version, row, now));
  if (verdict.verdict === 'ready') return version;
  const why =
    verdict.verdict === 'refuse'
      ? verdict.reasons.join('; ')
      : `it waits for ${verdict.waitingFor.join(', ')}`;
  throw new Failure(
    'illegal_state',
    `${channel.bucket} ${version.name} may not be published on "${channel.name}" yet: ${why}.`,
    { details: { promotionId: row.id } },
  );
}

function refuseEnded(row: PromotionRow): void {
  if (row.ended_at === null) return;
  throw new Failure(
    row.state === 'superseded' ? 'superseded' : 'illegal_state',
    `Promotion ${row.id} has ended (${row.state}${row.detail === '' ? '' : `: ${row.detail}`}). Ask for a new one if the version is still wanted.`,
  );
}

function movedDetail(channel: ChannelRow, versionName: string | null): string {
  const where = versionName === null ? 'unassigned' : `on ${versionName}`;
  return `channel ${channel.name} was changed meanwhile: it is ${where} now`;
}
