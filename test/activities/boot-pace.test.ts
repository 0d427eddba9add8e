/** How often a machine that boots is looked at: a cloud counts calls, a machine beside us does not. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createMachineActivities } from '../../src/activities/machines.ts';
import { createAwsProvider } from '../../src/providers/aws/index.ts';
import { createAzureProvider } from '../../src/providers/azure/index.ts';
import type { ImageProvider } from '../../src/providers/provider.ts';
import { FakeCloud, place } from '../support/bake/cloud.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const run = <T>(act: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(act);

/** When it was looked, in milliseconds from the begin, at a machine that does not boot within the limit. */
async function looks(provider: ImageProvider, limitMs: number): Promise<readonly number[]> {
  const seen: number[] = [];
  const begin = Date.now();
  const silent: ImageProvider = {
    ...provider,
    machines: {
      ...provider.machines,
      status() {
        seen.push(Date.now() - begin);
        return Promise.resolve({ state: 'starting' });
      },
      console: () => Promise.resolve(''),
    },
  };
  const activities = createMachineActivities({
    providers: { get: () => silent, all: () => [silent] },
    registry: { logs: { append: () => Promise.resolve() } },
  });
  const machine = { launchId: 'l', target: place, machineId: 'm', handle: {} };
  const until = new Date(begin + limitMs).toISOString();
  const result = run(() => activities.awaitBoot(machine, until));
  await vi.advanceTimersByTimeAsync(limitMs + 1_000);
  expect((await result).booted).toBe(false);
  return seen;
}

it.each([
  ['aws', createAwsProvider({ accounts: [] }), 15_000],
  ['azure', createAzureProvider({ subscriptions: [] }), 16_000],
])('in %s: after 2 s, then ever more seldom, and at the limit', async (_code, provider, mostMs) => {
  const seen = await looks(provider, 120_000);
  const pauses = seen.slice(1).map((at, index) => at - (seen[index] ?? 0));

  expect(pauses.slice(0, 3)).toEqual([2_000, 3_000, 4_500]);
  expect(Math.max(...pauses)).toBe(mostMs);
  expect(seen.length).toBeLessThan(15);
  expect(seen.at(-1)).toBe(120_000);
});

it('beside us: twice a second', async () => {
  expect(await looks(new FakeCloud().provider, 2_000)).toEqual([0, 500, 1_000, 1_500, 2_000]);
});

it('in a test cloud as fast as the provider is told', async () => {
  const provider = createAwsProvider({ accounts: [], pace: { pollMs: 20, shortPollMs: 20 } });
  expect(provider.machines.bootPace).toEqual({ firstMs: 40, mostMs: 60 });
});
