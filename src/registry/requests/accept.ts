import { ulid } from 'ulid';
import { Failure } from '../../domain/failure.ts';
import type { RequestTable } from '../../store/tables/work.ts';
import type { Tx } from '../../store/store.ts';
import { clock, lockBuckets } from '../../store/transaction.ts';
import type { AcceptedRequest, AcceptRequest } from '../contract/requests.ts';
import type { BucketRow } from '../lookup.ts';
import { findBucket } from '../lookup.ts';
import { loadRequest } from './load.ts';
import { openAttempt } from './open-attempt.ts';
import { checkPinnedParents, pinRequest } from './pins.ts';

export async function accept(tx: Tx, input: AcceptRequest): Promise<AcceptedRequest> {
  const bucket = await findBucket(tx, input.project, input.bucket);
  await lockBuckets(tx, [bucket.id]);
  // The line is read again under the lock; a key already used is found without pinning anything anew.
  const known = await findByKey(tx, bucket, input);
  if (known !== undefined) return repeat(tx, known, input);
  const now = await clock(tx);
  const pins = await pinRequest(tx, await findBucket(tx, input.project, input.bucket), input, now);
  const id = ulid();
  const made = await tx
    .insertInto('request')
    .values({
      id,
      project_id: bucket.projectId,
      bucket_id: bucket.id,
      kind: input.kind,
      key: input.key ?? id,
      state: 'open',
      attempt: 1,
      pins: JSON.stringify(pins),
      actor: JSON.stringify(input.by),
      created_at: now,
    })
    .onConflict((on) => on.columns(['project_id', 'key']).doNothing())
    .executeTakeFirst();
  if (made.numInsertedOrUpdatedRows !== 1n) {
    // Another bucket's request took the key at this very moment.
    await findByKey(tx, bucket, input);
    throw new Failure('conflict', `Key "${input.key ?? id}" was taken at this moment. Ask again.`);
  }
  await openAttempt(tx, input, id, 1, now);
  return { request: await loadRequest(tx, id), outcome: 'new' };
}

type Known = Pick<RequestTable, 'id' | 'key' | 'state' | 'attempt'> & {
  readonly pins: Parameters<typeof checkPinnedParents>[1];
  readonly adopted_version_id: string | null;
};

async function findByKey(tx: Tx, bucket: BucketRow, input: AcceptRequest): Promise<Known | undefined> {
  if (input.key === undefined) return undefined;
  const known = await tx
    .selectFrom('request')
    .where('project_id', '=', bucket.projectId)
    .where('key', '=', input.key)
    .select(['id', 'key', 'kind', 'state', 'attempt', 'pins', 'bucket_id', 'adopted_version_id'])
    .executeTakeFirst();
  if (known === undefined) return undefined;
  if (known.bucket_id !== bucket.id) {
    // Not which one: who may call here need not be able to see it.
    throw new Failure(
      'already_exists',
      `Key "${input.key}" belongs to a request of another bucket. Use another key for a ${input.kind} of "${input.bucket}".`,
    );
  }
  if (known.kind !== input.kind) {
    throw new Failure(
      'already_exists',
      `Key "${input.key}" belongs to the ${known.kind} ${known.id} of this bucket. Use another key for a ${input.kind} of "${input.bucket}".`,
    );
  }
  return known;
}

/** Open or successful: the same request. Otherwise its next attempt, with the same pins. */
async function repeat(tx: Tx, known: Known, input: AcceptRequest): Promise<AcceptedRequest> {
  if (known.state === 'open' || known.state === 'succeeded') {
    return { request: await loadRequest(tx, known.id), outcome: 'existing' };
  }
  const now = await clock(tx);
  await checkPinnedParents(tx, known.pins, known.key, now);
  const attempt = known.attempt + 1;
  await tx
    .updateTable('request')
    .set({ state: 'open', attempt, cancel_wanted: false, failure: null, ended_at: null })
    .where('id', '=', known.id)
    .execute();
  await openAttempt(tx, input, known.id, attempt, now, known.adopted_version_id);
  return { request: await loadRequest(tx, known.id), outcome: 'next_attempt' };
}
