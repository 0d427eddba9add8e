/**
 * Temporal is killed before the date and comes back after it. Counted from the worker's first poll that the server has taken, as the
 * server tells it, to the first read on another connection that shows the effect.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import proto from '@temporalio/proto';
import { queues } from '../src/domain/queues.ts';
import { type Installation, until, untilInstant } from './installation.ts';
import { type Measured, ms } from './report.ts';
import { by, seed } from './seed.ts';
import { spreadOf } from './statistics.ts';

const { TaskQueueType } = proto.temporal.api.enums.v1;

/** Long enough before the date that every worker and the relay are deep in their retries. */
const awayBeforeMs = 6_000;
const awayAfterMs = 6_000;

export async function outage(at: Installation, rounds: number): Promise<Measured> {
  const fromPoll: number[] = [];
  const fromServing: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const one = await oneOutage(at);
    fromPoll.push(one.effectAt - one.polledAt);
    fromServing.push(one.effectAt - one.servingAt);
  }
  const spread = spreadOf(fromPoll);
  return {
    figures: [
      {
        what: `from the worker's first poll to the effect, p50 / max of ${rounds}`,
        value: `${ms(spread.p50)} / ${ms(spread.max)}`,
        aim: '5 s',
        met: spread.max <= 5_000,
      },
      { what: 'from the server answering again to the effect, max', value: ms(spreadOf(fromServing).max) },
    ],
    raw: { fromPoll, fromServing },
  };
}

async function oneOutage(at: Installation) {
  const { registry, store } = at;
  const [line] = await seed(store, { count: 1, versions: 2, images: at.images });
  const versionId = line?.versions[1] ?? '';
  const { record } = await registry.revocations.revoke({
    versionId,
    inMs: awayBeforeMs + 6_000,
    reason: 'bench',
    rollBack: true,
    descendants: true,
    by,
  });
  const due = Date.parse(record.dueAt);
  const { workflow } = at.temporal.client;
  await until(
    'the revocation sleeps',
    async () => {
      const found = await workflow.count(
        `WorkflowId = 'revocation/default/${versionId}' AND BakehousePhase = 'scheduled'`,
      );
      return found.count === 1;
    },
    due - awayBeforeMs - Date.now(),
    50,
  );
  await untilInstant(due - awayBeforeMs);
  await at.killTemporal();
  await untilInstant(due + awayAfterMs);
  if (await isEffective(at, record.id)) throw new Error('the effect was written without Temporal');
  const startedAt = Date.now();
  await at.startTemporal();
  const servingAt = Date.now();
  let polledAt: number | undefined;
  let effectAt: number | undefined;
  for (
    const deadline = servingAt + 60_000;
    polledAt === undefined || effectAt === undefined;
    await sleep(10)
  ) {
    if (Date.now() > deadline) throw new Error('no effect within a minute of the return of Temporal');
    if (effectAt === undefined && (await isEffective(at, record.id))) effectAt = Date.now();
    polledAt ??= await firstPoll(at, startedAt);
  }
  return { servingAt, polledAt, effectAt };
}

async function isEffective({ store }: Installation, recordId: string): Promise<boolean> {
  const row = await store.db
    .selectFrom('revocation')
    .select('materialised_at')
    .where('id', '=', recordId)
    .executeTakeFirstOrThrow();
  return row.materialised_at !== null;
}

async function firstPoll({ temporal, workerPid }: Installation, since: number): Promise<number | undefined> {
  const { pollers } = await temporal.connection.workflowService.describeTaskQueue({
    namespace: temporal.place.namespace,
    taskQueue: { name: queues.main },
    taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  const ours = pollers
    .filter(({ identity }) => identity?.startsWith(`${workerPid()}@`) === true)
    .map(
      ({ lastAccessTime }) =>
        Number(lastAccessTime?.seconds ?? 0) * 1_000 + (lastAccessTime?.nanos ?? 0) / 1e6,
    )
    .filter((polledAt) => polledAt >= since);
  return ours.length === 0 ? undefined : Math.min(...ours);
}
