import type { Db } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { listChannels } from '../channels/rows.ts';
import type { Sight } from '../contract/channels.ts';
import { loadEffective } from '../status.ts';

export interface PointedChannel {
  readonly id: string;
  readonly name: string;
  readonly version_id: string;
}

/** Channels of the bucket that the caller sees and that point to something. */
export async function pointedChannels(
  db: Db,
  project: string,
  bucket: string,
  sight: Sight,
): Promise<readonly PointedChannel[]> {
  const channels = await listChannels(db, project, bucket, sight);
  const effective = await loadEffective(
    db,
    channels.map(({ id }) => id),
    await clock(db),
  );
  return channels.flatMap(({ id, name }) => {
    const versionId = effective.get(id)?.versionId ?? null;
    return versionId === null ? [] : [{ id, name, version_id: versionId }];
  });
}
