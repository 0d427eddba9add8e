import { afterEach, expect, it, vi } from 'vitest';
import { Failure, type FailureCode } from '../../src/domain/failure.ts';
import type { ImageProvider } from '../../src/providers/provider.ts';
import { startCloudReaper } from '../../src/worker/cloud-reaper.ts';
import { BakeWorld } from '../support/bake/world.ts';
import { place } from '../support/bake/cloud.ts';
import { quietLog } from '../support/quiet-log.ts';

afterEach(() => void vi.restoreAllMocks());

/** A machine that nobody wants any more, in a cloud that answers each look with a failure. Answers how often it was asked, by our clock. */
async function reaped(fails: () => Failure) {
  const world = new BakeWorld();
  const registry = world.asRegistry();
  await registry.ledger.open({ id: 'm', owner: 'launch', kind: 'machine', mark: 'launch', target: place });
  let asked = 0;
  const { machines, capabilities, ...more } = world.cloud.provider;
  const provider: ImageProvider = {
    ...more,
    capabilities: { ...capabilities, hostBound: false },
    machines: {
      ...machines,
      async terminate() {
        asked += 1;
        throw fails();
      },
    },
  };
  let now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const { log } = quietLog();
  const times = { everyMs: 2, quietMs: 1_000, graceMs: 0 };
  const providers = { all: () => [provider], get: () => provider };
  const reaper = startCloudReaper({ registry, providers, log, ...times });
  return {
    first: () => expect.poll(() => asked).toBe(1),
    /** How often it was asked when so much time has passed and it has looked many times. */
    async after(ms: number): Promise<number> {
      now += ms;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return asked;
    },
    stop: () => reaper.stop(),
  };
}

const failing = (code: FailureCode, retryAfterMs?: number) => () =>
  new Failure(code, 'not now', retryAfterMs === undefined ? {} : { retryAfterMs });

it.each([
  ['longer than it would wait by itself', failing('rate_limited', 120_000), 119_000, 2_000],
  ['shorter: its own patience counts', failing('rate_limited', 1), 9_000, 2_000],
  ['not at all', failing('provider_unavailable'), 9_000, 2_000],
] as const)(
  'looks again when the cloud has been left alone as long as it asked: %s',
  async (_, fails, ms, more) => {
    const reaper = await reaped(fails);
    try {
      await reaper.first();
      expect(await reaper.after(ms)).toBe(1);
      expect(await reaper.after(more)).toBe(2);
    } finally {
      await reaper.stop();
    }
  },
);
