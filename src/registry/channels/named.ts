import type { Tx } from '../../store/store.ts';
import { lockBuckets } from '../../store/transaction.ts';
import type { NamedChannel } from '../contract/channels.ts';
import { findBucketId } from '../views/find.ts';
import { missing } from '../views/missing.ts';
import { listChannels, type ChannelRow } from './rows.ts';

/** Refuses what does not exist in HCP's words. */
export async function namedChannel(tx: Tx, { project, bucket, channel }: NamedChannel): Promise<ChannelRow> {
  await findBucketId(tx, project, bucket);
  const found = (await listChannels(tx, project, bucket)).find(({ name }) => name === channel);
  if (found === undefined) throw missing('channel', channel);
  return found;
}

/** Locks a bucket by its name, and answers its id: not one that was deleted while the lock was waited for. */
export async function lockNamedBucket(tx: Tx, project: string, bucket: string): Promise<string> {
  const id = await findBucketId(tx, project, bucket);
  await lockBuckets(tx, [id]);
  if ((await findBucketId(tx, project, bucket)) !== id) throw missing('bucket', bucket);
  return id;
}
