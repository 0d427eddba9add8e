import { ulid } from 'ulid';
import { Failure } from '../../domain/failure.ts';
import { openGates } from '../../domain/image-line.ts';
import { checkName } from '../../domain/names.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { ChannelChanges } from '../contract/channels.ts';
import { takeOverPlaces } from '../pointers/present-channel.ts';
import { record } from '../record.ts';
import { assignLocked } from './assign.ts';
import { lockNamedBucket } from './named.ts';
import { channelById, listChannels } from './rows.ts';
import { lockChannel } from './take-version.ts';

type Create = Parameters<ChannelChanges['create']>[0];

export async function createChannel(tx: Tx, input: Create): Promise<void> {
  const { project, bucket, channel: name, restricted, by } = input;
  checkName('channel', name);
  const bucketId = await lockNamedBucket(tx, project, bucket);
  const others = await listChannels(tx, project, bucket);
  if (others.some((one) => one.name === name)) {
    throw new Failure('already_exists', `Error: The channel ${name} of bucket ${bucket} already exists.`);
  }
  const id = ulid();
  const now = await clock(tx);
  await tx
    .insertInto('channel')
    .values({
      id,
      bucket_id: bucketId,
      name,
      position: null,
      restricted,
      gates: JSON.stringify(openGates),
      actor: JSON.stringify(by),
      created_at: now,
      updated_at: now,
    })
    .execute();
  await takeOverPlaces(tx, bucketId, [name]);
  await record(tx, {
    kind: 'channel.created',
    project,
    bucket,
    subjectId: id,
    data: { channel: name, restricted },
    by,
    at: now,
  });
  if (input.versionId === undefined) return;
  await assignLocked(tx, await lockChannel(tx, await channelById(tx, id)), input.versionId, by);
}
