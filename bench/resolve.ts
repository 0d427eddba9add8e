/** What every consumer asks, over HTTP: which image do I use now? */
import type { Installation } from './installation.ts';
import { inLanes } from './lanes.ts';
import { type Figure, type Measured, ms, perSecond } from './report.ts';
import { project, seed } from './seed.ts';
import { spreadOf } from './statistics.ts';

const warmUp = 200;

export async function resolve(at: Installation, count: number): Promise<Measured> {
  const lines = await seed(at.store, { count: 20, versions: 2, images: at.images });
  const ask = async (index: number): Promise<void> => {
    const { bucket = '' } = lines[index % lines.length] ?? {};
    const { versionName } = await at.client.resolveChannel({ project, bucket, channel: 'prod' });
    if (versionName !== 'v2') throw new Error(`${bucket}/prod resolves to ${versionName}`);
  };
  for (let index = 0; index < warmUp; index += 1) await ask(index);
  const figures: Figure[] = [];
  const raw: Record<string, unknown> = {};
  for (const connections of [1, 16]) {
    const took: number[] = [];
    const began = performance.now();
    await inLanes(
      connections,
      Array.from({ length: count }, (_, index) => index),
      async (index) => {
        const asked = performance.now();
        await ask(index);
        took.push(performance.now() - asked);
      },
    );
    const spread = spreadOf(took);
    const rate = count / ((performance.now() - began) / 1_000);
    figures.push({
      what: `${connections} at a time, p50 / p99`,
      value: `${ms(spread.p50)} / ${ms(spread.p99)}, ${perSecond(rate)}`,
    });
    raw[`at ${connections}`] = { ...spread, rate };
  }
  return { figures, raw };
}
