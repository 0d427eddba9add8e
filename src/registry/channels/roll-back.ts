import { sql } from 'kysely';
import { rollBackRow, type HistoryRow } from '../../domain/effective-assignment.ts';
import { personOf } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { Channels } from '../contract/channels.ts';
import type { Tx } from '../../store/store.ts';
import { channelStanding, loadStandings } from '../status.ts';
import { moveByHand } from './assign.ts';
import { findChannel, type ChannelRow } from './rows.ts';
import { lockChannel, refuseManaged, usableVersion } from './take-version.ts';

type RollBack = Parameters<Channels['rollBack']>[0];

/**
 * A person leaves the present version: to the one named, or the newest usable one before it (none: unassigned). The row that is left is
 * marked, so that nothing rolls back to that version from there on. The same roll back asked for twice is done once; to step
 * further back, name the version.
 */
export async function rollBack(tx: Tx, input: RollBack): Promise<void> {
  const found = await findChannel(tx, input.project, input.bucket, input.channel);
  refuseManaged(found);
  const { channel, now, effective } = await lockChannel(tx, found);
  const history = await wholeHistory(tx, channel.id);
  const [newest] = history;
  if (newest === undefined) throw nothingToLeave(channel);
  if (input.to === undefined && isRepeat(newest, input)) return;
  const to =
    input.to === undefined
      ? await newestUsable(tx, history, now)
      : await named(tx, channel, history, input.to, now);
  if (to !== null && to.id === effective.versionId) return;
  if (to === null && effective.versionId === null) throw nothingToLeave(channel);
  await tx.updateTable('assignment').set({ left_by_hand: true }).where('id', '=', newest.id).execute();
  await moveByHand(tx, channel, effective, {
    version: to,
    cause: 'rolled_back',
    reason: input.reason,
    by: input.by,
    now,
  });
}

interface FullRow extends HistoryRow {
  readonly reason: string;
  readonly person: string;
}

export async function wholeHistory(tx: Tx, channelId: string): Promise<readonly FullRow[]> {
  const { rows } = await sql<FullRow>`
    select id, sequence, version_id as "versionId", version_name as "versionName", cause, left_by_hand as "leftByHand", reason,
      coalesce(actor ->> 'principal', actor ->> 'name') as person
    from assignment where channel_id = ${channelId} order by sequence desc`.execute(tx);
  return rows;
}

function isRepeat(newest: FullRow, input: RollBack): boolean {
  return (
    newest.cause === 'rolled_back' && newest.reason === input.reason && newest.person === personOf(input.by)
  );
}

interface Chosen {
  readonly id: string;
  readonly name: string;
}

/** The newest usable version before the one that is left; null: none. */
export async function newestUsable(tx: Tx, history: readonly FullRow[], now: string): Promise<Chosen | null> {
  const older = history.slice(1);
  const standings = await loadStandings(
    tx,
    older.flatMap((row) => row.versionId ?? []),
    now,
  );
  const left = history[0]?.versionId ?? null;
  const back = rollBackRow(
    older,
    (id) => channelStanding(standings.get(id)),
    new Set(left === null ? [] : [left]),
  );
  return back === undefined ? null : { id: back.versionId ?? '', name: back.versionName ?? '' };
}

async function named(
  tx: Tx,
  channel: ChannelRow,
  history: readonly FullRow[],
  to: string,
  now: string,
): Promise<Chosen> {
  const row = history.find((one) => one.versionId === to || one.versionName === to);
  const versionId = row?.versionId ?? null;
  if (versionId === null) {
    const names = [...new Set(history.flatMap((one) => one.versionName ?? []))].slice(0, 10);
    throw new Failure(
      'invalid_input',
      `${to} was never on channel "${channel.name}" of bucket "${channel.bucket}", so there is no way back to it: name one of ${names.join(', ') || 'none'}, or promote it.`,
    );
  }
  return usableVersion(tx, channel, versionId, now);
}

function nothingToLeave(channel: ChannelRow): Failure {
  return new Failure(
    'illegal_state',
    `Channel "${channel.name}" of bucket "${channel.bucket}" is unassigned and nothing usable was on it before: promote a version to it.`,
  );
}
