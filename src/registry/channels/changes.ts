import type { Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { ChannelChanges } from '../contract/channels.ts';
import { copyAssignment } from './copy-assignment.ts';
import { createChannel } from './create.ts';
import { removeChannel } from './remove.ts';
import { updateChannel } from './update.ts';

export function createChannelChanges(store: Store): ChannelChanges {
  return {
    create: (input) => transact(store, (tx) => createChannel(tx, input)),
    update: (input) => transact(store, (tx) => updateChannel(tx, input)),
    copy: (input) => transact(store, (tx) => copyAssignment(tx, input)),
    remove: (input) => transact(store, (tx) => removeChannel(tx, input)),
  };
}
