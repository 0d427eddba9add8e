import type { RevocationStatus } from '../../domain/revocation.ts';
import type { Db } from '../../store/store.ts';
import { loadVersion } from '../versions/load.ts';
import { type ChannelRow, historyOf } from './rows.ts';

/** The channel's newest version is in one of its two newest rows: a revocation that took it away wrote a row of its own. */
const rowsToLookAt = 2;

/**
 * Why a channel has no version, and what to do: for a message that begins with the channel's name, "… has no version assigned: v1 was
 * revoked on …; …". `channel` is one that has none.
 */
export async function whyUnassigned(db: Db, channel: ChannelRow, now: string): Promise<string> {
  const { bucket, name, managed } = channel;
  const promote = managed
    ? `bake one with \`bakehouse bake ${bucket}\``
    : `promote one with \`bakehouse promote ${bucket} <version> ${name}\``;
  const [newest, before] = await historyOf(db, channel.id, rowsToLookAt);
  if (newest === undefined) return `it never had one; ${promote}`;
  const left = newest.versionId === null && newest.cause === 'revocation' ? before : newest;
  if (left === undefined || left.versionId === null) {
    return `${newest.by.name} unassigned it on ${newest.at}; ${promote}`;
  }
  const version = await loadVersion(db, left.versionId, now);
  const { revocation } = version;
  if (revocation.state !== 'revoked') {
    return `${version.name} was taken away by a revocation on ${newest.at} and is restored since; ${promote}`;
  }
  return `${version.name} ${revokedWords(revocation)}, and no earlier version can take its place; ${promote}, ${wayBack(bucket, version.name, revocation)}`;
}

/** "was revoked on … : reason", with the ancestor whose revocation it is. */
export function revokedWords({ at, reason, inheritedFrom }: RevocationStatus): string {
  const whose =
    inheritedFrom === null ? '' : ` together with ${inheritedFrom.bucket} ${inheritedFrom.versionName}`;
  return `was revoked${whose} on ${at ?? 'an unknown date'} (${reason ?? 'no reason given'})`;
}

/** An inherited revocation is lifted with that of the ancestor only. */
function wayBack(bucket: string, version: string, { inheritedFrom }: RevocationStatus): string {
  const whose = inheritedFrom ?? { bucket, versionName: version };
  return `or take the revocation back with \`bakehouse restore ${whose.bucket} ${whose.versionName}\` and promote ${version} again`;
}
