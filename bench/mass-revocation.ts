/**
 * Many revocations of one second. First as many bare timers with one activity each, on the same server: the rate at which it drains
 * sleeping workflows at all. Then ours, scheduled through the registry and the relay: when their effects are seen by another connection,
 * when their workflows are through, when the images are really disabled.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { claimSubjects } from '../src/domain/workflow-ids.ts';
import { floorQueue } from './floor/activities.ts';
import { startFloorWorker } from './floor/start.ts';
import { type Installation, until, untilInstant } from './installation.ts';
import { inLanes } from './lanes.ts';
import { type Measured, ms, percent, perSecond } from './report.ts';
import { by, seed } from './seed.ts';
import { spreadOf } from './statistics.ts';

interface Sizes {
  readonly count: number;
  /** Enforcement is followed for so long after the date. */
  readonly enforcementMs: number;
}

/** Seen on one connection of its own: at each look how many were through, in milliseconds after the date. */
type Curve = readonly { readonly afterMs: number; readonly done: number }[];

const rateOf = (done: number, afterMs: number): number => done / (afterMs / 1_000);

export async function massRevocation(at: Installation, { count, enforcementMs }: Sizes): Promise<Measured> {
  const bare = await bareTimers(at, count);
  const bareLate = spreadOf(bare.late);
  const bareRate = rateOf(count, bareLate.max);
  const ours = await revocations(at, { count, enforcementMs }, bareRate);
  const effects = spreadOf(lateness(ours.effects, count));
  const drained = spreadOf(lateness(ours.drained, count));
  const ourRate = rateOf(count, drained.max);
  const share = ourRate / bareRate;
  const enforced = ours.receipts.at(-1) ?? { afterMs: 1, done: 0 };
  return {
    figures: [
      {
        what: `lateness of the effect, p50 / p99, ${count} due in one second`,
        value: `${ms(effects.p50)} / ${ms(effects.p99)}`,
        aim: 'p99 5 s',
        met: effects.p99 <= 5_000,
      },
      { what: 'bare timers with one activity', value: `${perSecond(bareRate)}, p99 ${ms(bareLate.p99)}` },
      {
        what: 'our workflows, to the end of the effect',
        value: `${perSecond(ourRate)}, p99 ${ms(drained.p99)}`,
      },
      { what: 'share of the bare rate', value: percent(share), aim: 'at least 60 %', met: share >= 0.6 },
      {
        what: 'enforcement: images disabled, with receipt',
        value: `${enforced.done} in ${ms(enforced.afterMs)}, ${perSecond(rateOf(enforced.done, enforced.afterMs))}`,
      },
      {
        what: 'asleep before the date',
        value: `${ours.asleep} of ${count}, started at ${perSecond(ours.startRate)}`,
      },
    ],
    raw: { bare: bareLate, effects, drained, bareLate: bare.late.toSorted((a, b) => a - b), ours },
  };
}

async function bareTimers(at: Installation, count: number): Promise<{ late: readonly number[] }> {
  await using worker = await startFloorWorker(at.temporal.place.address);
  const { workflow } = at.temporal.client;
  const due = Date.now() + 5_000 + count * 15;
  const numbers = Array.from({ length: count }, (_, index) => index);
  await inLanes(50, numbers, (index) =>
    workflow.start('bareTimer', {
      workflowId: `bench/timer/${index}`,
      taskQueue: floorQueue,
      args: [{ at: due }],
    }),
  );
  if (Date.now() > due) throw new Error('the bare timers were not started before their date');
  await untilInstant(due);
  await until('all bare timers fired', () => worker.fired.length >= count, 300_000);
  await sleep(3_000);
  return { late: worker.fired.slice(0, count).map((firedAt) => firedAt - due) };
}

async function revocations(at: Installation, { count, enforcementMs }: Sizes, bareRate: number) {
  const { registry, store } = at;
  const lines = await seed(store, { count, versions: 2, images: at.images });
  const watching = new Client({ connectionString: store.url });
  await watching.connect();
  try {
    const began = Date.now();
    // All should sleep by then; a start of ours is taken for as much as three timers, however slow the machine is now.
    const startsMs = (count / bareRate) * 3_000;
    const due = new Date(Math.ceil((began + 20_000 + startsMs) / 1_000) * 1_000);
    await inLanes(8, lines, ({ versions }) =>
      registry.revocations.revoke({
        versionId: versions[1] ?? '',
        at: due.toISOString(),
        reason: 'bench',
        rollBack: true,
        descendants: true,
        by,
      }),
    );
    let startedAt = began;
    let asleep = 0;
    while (Date.now() < due.getTime() - 500 && asleep < count) {
      await sleep(500);
      asleep = await sleeping(at);
      startedAt = Date.now();
    }
    const startRate = rateOf(asleep, startedAt - began);
    await untilInstant(due.getTime() - 200);
    // All of them wait for the date; else what is measured is not what is named.
    if (asleep < count) throw new Error(`only ${asleep} of ${count} revocations slept before their date`);
    const versionIds = lines.map(({ versions }) => versions[1] ?? '');
    const watched = await watch(watching, { due, versionIds, enforcementMs });
    return { asleep, startRate, ...watched };
  } finally {
    await watching.end();
  }
}

/** By visibility, which lags a little: good enough to tell whether all wait for their date. */
async function sleeping({ temporal }: Installation): Promise<number> {
  const { count } = await temporal.client.workflow.count(
    `WorkflowType = 'scheduleRevocation' AND ExecutionStatus = 'Running' AND BakehousePhase = 'scheduled'`,
  );
  return count;
}

interface Watched {
  readonly due: Date;
  /** Only these count: an earlier measurement left effects and receipts of its own. */
  readonly versionIds: readonly string[];
  readonly enforcementMs: number;
}

async function watch(db: Client, { due, versionIds, enforcementMs }: Watched) {
  const count = versionIds.length;
  const effects: { afterMs: number; done: number }[] = [];
  const drained: { afterMs: number; done: number }[] = [];
  const receipts: { afterMs: number; done: number }[] = [];
  const look = async (
    curve: { afterMs: number; done: number }[],
    query: string,
    ids: readonly string[] = versionIds,
  ): Promise<number> => {
    // The rows are read before the clock: what is counted was visible by then.
    const { rows } = await db.query<{ done: string }>(query, [ids]);
    const seen = { afterMs: Date.now() - due.getTime(), done: Number(rows[0]?.done ?? 0) };
    if (seen.done !== curve.at(-1)?.done) curve.push(seen);
    return seen.done;
  };
  const left = () => Date.now() < due.getTime() + enforcementMs;
  while (
    (await look(
      effects,
      `select count(*) as done from revocation where materialised_at is not null and version_id = any($1::text[])`,
    )) < count &&
    left()
  ) {
    await sleep(10);
  }
  const closed = `select ${count} - count(*) as done from claim where subject = any($1::text[])`;
  const subjects = versionIds.map(claimSubjects.scheduleRevocation);
  const signed = `select count(*) as done from receipt where action = 'disable' and outcome = 'done' and version_id = any($1::text[])`;
  for (let isDrained = false, isEnforced = false; !(isDrained && isEnforced) && left(); await sleep(100)) {
    isDrained ||= (await look(drained, closed, subjects)) >= count;
    isEnforced ||= (await look(receipts, signed)) >= count;
  }
  return { effects, drained, receipts };
}

/** For each that was through: when it was first seen. Throws when some never were. */
function lateness(curve: Curve, count: number): readonly number[] {
  let before = 0;
  const each = curve.flatMap(({ afterMs, done }) => {
    const fresh = Math.max(0, done - before);
    before = Math.max(before, done);
    return Array.from({ length: fresh }, () => afterMs);
  });
  if (each.length < count) throw new Error(`only ${each.length} of ${count} were through in time`);
  return each;
}
