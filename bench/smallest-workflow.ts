/**
 * The smallest workflow of ours against the floor. `rollBackChannels` of a channel that no place publishes is the one with the fewest
 * steps: claim, materialise what is due, read what is wanted, give the claim back.
 */
import type { Installation } from './installation.ts';
import { floorQueue } from './floor/activities.ts';
import { startFloorWorker } from './floor/start.ts';
import { ms, type Measured } from './report.ts';
import { seed } from './seed.ts';
import { spreadOf } from './statistics.ts';
import { queues } from '../src/domain/queues.ts';

const warmUp = 20;

export async function smallestWorkflow(at: Installation, count: number): Promise<Measured> {
  const [line] = await seed(at.store, { count: 1, versions: 0 });
  if (line === undefined) throw new Error('no line was seeded');
  await using _ = await startFloorWorker(at.temporal.place.address);
  const { workflow } = at.temporal.client;
  const floor: number[] = [];
  const ours: number[] = [];
  for (let index = -warmUp; index < count; index += 1) {
    const floorId = `bench/floor/${index}`;
    const bare = await run(() =>
      workflow.start('oneActivity', { workflowId: floorId, taskQueue: floorQueue }),
    );
    const ourId = `bench/ours/${index}`;
    const own = await run(() =>
      workflow.start('rollBackChannels', {
        workflowId: ourId,
        taskQueue: queues.main,
        args: [{ channelId: line.prod }],
      }),
    );
    if (index < 0) continue;
    floor.push(bare);
    ours.push(own);
  }
  const [bare, own] = [spreadOf(floor), spreadOf(ours)];
  const ratio = own.p50 / bare.p50;
  return {
    figures: [
      { what: 'empty workflow with one activity, p50 / p99', value: `${ms(bare.p50)} / ${ms(bare.p99)}` },
      { what: 'rollBackChannels with nothing to do, p50 / p99', value: `${ms(own.p50)} / ${ms(own.p99)}` },
      { what: 'ratio of p50', value: ratio.toFixed(2), aim: 'under 3', met: ratio < 3 },
      { what: 'ratio of p99', value: (own.p99 / bare.p99).toFixed(2) },
    ],
    raw: { floor, ours },
  };
}

async function run(start: () => Promise<{ result(): Promise<unknown> }>): Promise<number> {
  const began = performance.now();
  await (await start()).result();
  return performance.now() - began;
}
