import { Failure } from '../../domain/failure.ts';
import type { Channel } from '../../domain/channel.ts';
import type { Channels, Sight } from '../contract/channels.ts';
import type { Db, Store } from '../../store/store.ts';
import { clock, transact } from '../../store/transaction.ts';
import { assign } from './assign.ts';
import { rollBack } from './roll-back.ts';
import { findChannel, historyOf, listChannels, listRestricted, toChannels } from './rows.ts';

export function createChannels(store: Store): Channels {
  return {
    restricted: (project, buckets) => listRestricted(store.db, project, buckets),
    list: async (project, bucket, sight) =>
      toChannels(store.db, await listChannels(store.db, project, bucket, sight), await clock(store.db)),
    get: (project, bucket, channel, sight) => read(store.db, project, bucket, channel, sight),
    history: async (project, bucket, channel, limit = 100, sight) => {
      const { id } = await findChannel(store.db, project, bucket, channel, sight);
      return historyOf(store.db, id, limit);
    },
    assign: (input) =>
      transact(store, async (tx) => {
        await assign(tx, input);
        return read(tx, input.project, input.bucket, input.channel);
      }),
    rollBack: (input) =>
      transact(store, async (tx) => {
        await rollBack(tx, input);
        return read(tx, input.project, input.bucket, input.channel);
      }),
  };
}

async function read(
  db: Db,
  project: string,
  bucket: string,
  channel: string,
  sight?: Sight,
): Promise<Channel> {
  const row = await findChannel(db, project, bucket, channel, sight);
  // The clock first: what is written after it was read is read, what falls due after it is not yet.
  const [found] = await toChannels(db, [row], await clock(db));
  if (found === undefined) throw new Failure('internal', `Channel ${row.id} was found and is not there.`);
  return found;
}
