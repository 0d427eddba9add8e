import { ulid } from 'ulid';
import type { EffectiveAssignment } from '../../domain/channel.ts';
import { Failure } from '../../domain/failure.ts';
import { workflowIds } from '../../domain/workflow-ids.ts';
import type { Promotions } from '../contract/channels.ts';
import type { Tx } from '../../store/store.ts';
import { findChannel, type ChannelRow } from '../channels/rows.ts';
import { lockChannel, refuseManaged, usableVersion } from '../channels/take-version.ts';
import { record } from '../record.ts';
import { identify, type VersionIdentity } from '../version-identity.ts';
import { endPromotion } from './end-promotion.ts';
import { findPromotion, getPromotion, type PromotionRow } from './rows.ts';

type Request = Parameters<Promotions['request']>[0];

/** Asks for a version on a channel. Answers the promotion's id. */
export async function requestPromotion(tx: Tx, input: Request): Promise<string> {
  const found = await findChannel(tx, input.project, input.bucket, input.channel);
  refuseManaged(found);
  const promotionId = input.promotionId ?? ulid();
  const { channel, now, effective } = await lockChannel(tx, found);
  const known = await findPromotion(tx, promotionId);
  if (known !== undefined) return samePromotion(known, input, channel);
  const version = await usableVersion(tx, channel, input.versionId, now);
  const others = await openPromotions(tx, channel.id);
  const newer = await newerThan(tx, input, version, effective, others);
  const workflowId = input.heldBy ?? workflowIds.promote(channel.project, promotionId);
  await tx
    .insertInto('promotion')
    .values({
      id: promotionId,
      channel_id: channel.id,
      version_id: version.id,
      state: 'waiting',
      expected_assignment_id: effective.assignmentId,
      request_id: input.requestId ?? null,
      workflow_id: workflowId,
      reason: input.reason,
      actor: JSON.stringify(input.by),
      created_at: now,
    })
    .execute();
  await record(
    tx,
    {
      kind: 'promotion.requested',
      project: channel.project,
      bucket: channel.bucket,
      versionId: version.id,
      subjectId: promotionId,
      data: {
        channel: channel.name,
        version: version.name,
        reason: input.reason,
        from: effective.versionName,
      },
      by: input.by,
      at: now,
    },
    input.heldBy === undefined && newer === undefined
      ? [{ action: 'start', workflow: 'promote', workflowId, input: { promotionId } }]
      : [],
  );
  if (newer !== undefined) {
    const row = await getPromotion(tx, promotionId);
    await endPromotion(tx, row, channel, {
      state: 'superseded',
      detail: newer,
      by: input.by,
      now,
      wake: false,
    });
    return promotionId;
  }
  for (const other of others.filter((one) => one.state === 'waiting')) {
    await endPromotion(tx, other, channel, {
      state: 'superseded',
      detail: `superseded by the promotion ${promotionId} of ${version.name}`,
      by: input.by,
      now,
      wake: true,
    });
  }
  return promotionId;
}

export async function openPromotions(tx: Tx, channelId: string): Promise<readonly PromotionRow[]> {
  return tx
    .selectFrom('promotion')
    .selectAll()
    .where('channel_id', '=', channelId)
    .where('ended_at', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

/** A release that comes late does not take back what a newer one brought; a person who names an older version is obeyed. */
async function newerThan(
  tx: Tx,
  input: Request,
  version: VersionIdentity,
  effective: EffectiveAssignment,
  others: readonly PromotionRow[],
): Promise<string | undefined> {
  if (input.requestId === undefined) return undefined;
  const there = effective.versionId === null ? [] : [effective.versionId];
  for (const versionId of [...there, ...others.map((one) => one.version_id)]) {
    const other = await identify(tx, versionId);
    if ((other.number ?? 0) <= (version.number ?? 0)) continue;
    return there.includes(versionId)
      ? `superseded: the newer ${other.name} is on ${input.channel} already`
      : `superseded: the newer ${other.name} is being promoted to ${input.channel}`;
  }
  return undefined;
}

function samePromotion(known: PromotionRow, input: Request, channel: ChannelRow): string {
  if (known.channel_id === channel.id && known.version_id === input.versionId) return known.id;
  throw new Failure(
    'already_exists',
    `Promotion ${known.id} is of another version or channel: leave the id out or choose a new one.`,
  );
}
