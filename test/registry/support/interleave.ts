import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { isFailure } from '../../../src/domain/failure.ts';
import type { TestDatabase } from '../../support/database.ts';

type Act = () => Promise<unknown>;

/** One connection that holds bucket rows, so that changes queue up behind it in the order we choose. */
export interface Gate {
  /** Starts both so that `first` gets the rows before `second`; answers how each ended. */
  run(
    bucketIds: readonly string[],
    first: Act,
    second: Act,
  ): Promise<readonly [PromiseSettledResult<unknown>, PromiseSettledResult<unknown>]>;
  /** The same with any number of them. */
  all(bucketIds: readonly string[], acts: readonly Act[]): Promise<readonly PromiseSettledResult<unknown>[]>;
}

export async function openGate(database: TestDatabase): Promise<Gate> {
  const holder = await database.connect();
  const observer = await database.connect();
  const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pid = rows[0]?.pid ?? 0;
  const all: Gate['all'] = async (bucketIds, acts) => {
    await holder.query('begin');
    await holder.query('select id from bucket where id = any($1) order by id for update', [bucketIds]);
    const started: Started[] = [];
    try {
      for (const act of acts) {
        started.push(start(act));
        await queued(observer, pid, started);
      }
    } finally {
      await holder.query('commit');
    }
    return Promise.all(started.map((each) => each.result));
  };
  return {
    all,
    run: async (bucketIds, first, second) => {
      const [one, other] = await all(bucketIds, [first, second]);
      if (one === undefined || other === undefined) throw new Error('Both were started.');
      return [one, other];
    },
  };
}

interface Started {
  readonly result: Promise<PromiseSettledResult<unknown>>;
  ended: boolean;
}

function start(act: Act): Started {
  const started: Started = {
    ended: false,
    result: act()
      .then(
        (value) => ({ status: 'fulfilled' as const, value }),
        (reason: unknown) => ({ status: 'rejected' as const, reason }),
      )
      .finally(() => {
        started.ended = true;
      }),
  };
  return started;
}

/** Until all that were started wait behind the holder, directly or behind one another, or have ended without needing its rows. */
async function queued(observer: Client, holder: number, started: readonly Started[]): Promise<void> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(4)) {
    const { rows } = await observer.query<{ pid: number; behind: number[] }>(
      `select pid, pg_blocking_pids(pid) as behind from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    );
    const waiting = new Set([holder]);
    for (let before = 0; before < waiting.size;) {
      before = waiting.size;
      for (const { pid, behind } of rows) if (behind.some((one) => waiting.has(one))) waiting.add(pid);
    }
    if (waiting.size - 1 >= started.filter(({ ended }) => !ended).length) return;
  }
  throw new Error('After 20 s what was started neither waits for the rows nor has ended.');
}

/** Runs `act` for 0 … count-1 in lanes, each with a gate of its own. */
export async function inLanes(
  database: TestDatabase,
  lanes: number,
  count: number,
  act: (round: number, gate: Gate) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      const gate = await openGate(database);
      while (next < count) {
        const round = next;
        next += 1;
        await act(round, gate);
      }
    }),
  );
}

/** The n-th, which is there. */
export function at<T>(all: readonly T[], index: number): T {
  const found = all[index];
  if (found === undefined) throw new Error(`There is no ${index}.`);
  return found;
}

/** Only the refusals that are the right answer to having come second. */
export function expectOutcome(result: PromiseSettledResult<unknown>, codes: readonly string[] = []): void {
  if (result.status === 'fulfilled') return;
  const error: unknown = result.reason;
  if (isFailure(error) && codes.includes(error.code)) return;
  throw error instanceof Error ? error : new Error(String(error));
}
