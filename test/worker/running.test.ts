import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { startBeating } from '../../src/worker/host-beat.ts';
import { startProcess } from '../../src/worker/running.ts';
import { untilItWorks } from '../../src/temporal/until-it-works.ts';
import { quietLog } from '../support/quiet-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'bakehouse-running-'));
const readyFile = join(folder, 'ready');
afterAll(() => rmSync(folder, { recursive: true }));

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('a running process', () => {
  it('marks its readiness in a file while it is ready, and only then', async () => {
    writeFileSync(readyFile, 'of an earlier process');
    const one = startProcess({ log: quietLog().log, readyFile }, async ({ signal, ready }) => {
      expect(existsSync(readyFile)).toBe(false);
      ready();
      await aborted(signal);
    });
    await one.ready;
    expect(readFileSync(readyFile, 'utf8')).toBe(`${process.pid}\n`);
    await one.stop();

    expect(existsSync(readyFile)).toBe(false);
    await expect(one.finished).resolves.toBeUndefined();
  });

  it('tells its own failure, also to who waits for readiness', async () => {
    const one = startProcess({ log: quietLog().log, readyFile: undefined }, async () => {
      await Promise.resolve();
      throw new Failure('illegal_state', 'the folder is taken');
    });

    await expect(one.finished).rejects.toThrow('the folder is taken');
    await expect(one.ready).rejects.toThrow('before it was ready');
  });

  it('stops while it waits for something that never comes, without failing', async () => {
    const { log, lines } = quietLog();
    const one = startProcess({ log, readyFile: undefined }, async ({ signal }) => {
      await untilItWorks('reach the moon', () => Promise.reject(new Error('no fuel')), { signal, log });
    });
    await expect.poll(() => lines.length).toBeGreaterThan(0);
    await one.stop();

    await expect(one.finished).resolves.toBeUndefined();
    expect(lines.join('')).toContain('waiting: reach the moon');
  });
});

describe('a beating host', () => {
  it('tells its slots until it stops, and none then', async () => {
    const told: number[] = [];
    const beating = await startBeating({
      hosts: { beat: ({ slots }) => Promise.resolve(void told.push(slots)) },
      host: { id: 'h', name: 'n', builders: ['file'], slots: 2 },
      everyMs: 5,
      log: quietLog().log,
    });
    await expect.poll(() => told.length).toBeGreaterThan(2);
    await beating.stop();

    expect(told.at(-1)).toBe(0);
    expect(told.slice(0, -1).every((slots) => slots === 2)).toBe(true);
  });

  it('goes on when the registry is away', async () => {
    const { log, lines } = quietLog();
    let tries = 0;
    const beating = await startBeating({
      hosts: { beat: () => Promise.reject(new Error(`away ${(tries += 1)}`)) },
      host: { id: 'h', name: 'n', builders: [], slots: 1 },
      everyMs: 5,
      log,
    });
    await expect.poll(() => tries).toBeGreaterThan(3);
    await beating.stop();

    expect(lines).toHaveLength(1);
  });
});
