import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, test, vi } from 'vitest';

import type { AttemptInput, PackerRunner } from '../../src/packer/runner.ts';
import { readRecord } from '../../src/packer/supervisor/records.ts';
import type { Host } from './support/attempts.ts';
import { attempt, bakeHost } from './support/attempts.ts';
import { packersUnderTest } from './support/packers.ts';
import { eventually, kill9, lines, processesNaming, read } from './support/runs.ts';

// Real processes, also on a machine that is busy with other suites.
vi.setConfig({ testTimeout: 120_000 });

const worker = fileURLToPath(new URL('support/worker.ts', import.meta.url));

const slow = async (host: Host, options: Partial<AttemptInput> = {}): Promise<AttemptInput> =>
  attempt('slow', { variables: { witness: join(host.path, 'witness') }, ...options });

const go = (host: Host): void => writeFileSync(join(host.path, 'witness.go'), '');
const runsOf = (host: Host): number => lines(join(host.path, 'witness')).length;

const watch = async (runner: PackerRunner, attemptId: string) =>
  runner.watch(attemptId, { signal: AbortSignal.timeout(60_000) });

function startedOf(host: Host, input: AttemptInput) {
  return readRecord(join(host.attemptsDir, input.mark.attemptId, 'run'), 'started.json');
}

async function untilWorking(
  host: Host,
  input: AttemptInput,
): Promise<{ supervisor: number; packer: number }> {
  await eventually(() => runsOf(host) === 1);
  return eventually(() => {
    const started = startedOf(host, input);
    return started?.command && { supervisor: started.supervisor.pid, packer: started.command.pid };
  });
}

const alive = (pid: number): boolean => read(`/proc/${pid}/cmdline`) !== '';

describe.each(packersUnderTest)('a bake with Packer $version', (packer) => {
  test('goes on in the same process when the worker is killed, and another worker sees it end', async () => {
    await using host = bakeHost(packer);
    const input = await slow(host);
    const given = JSON.stringify({
      attemptsDir: host.attemptsDir,
      packer: packer.path,
      input: { ...input, template: 'slow' },
    });
    const first = spawn(process.execPath, [worker, given], { stdio: ['ignore', 'ignore', 'inherit'] });
    const before = await untilWorking(host, input);
    kill9(first.pid ?? -1);
    await eventually(() => !alive(first.pid ?? -1));
    expect(alive(before.packer)).toBe(true);
    const second = host.again();
    await second.begin(input);
    const watching = watch(second, input.mark.attemptId);
    expect((await untilWorking(host, input)).packer).toBe(before.packer);
    go(host);
    expect(await watching).toMatchObject({ ended: 'succeeded' });
    expect(runsOf(host)).toBe(1);
  });

  test('begun by five workers at once runs once', async () => {
    await using host = bakeHost(packer);
    const input = await slow(host);
    await Promise.all(Array.from({ length: 5 }, async () => host.again().begin(input)));
    go(host);
    expect(await watch(host.again(), input.mark.attemptId)).toMatchObject({ ended: 'succeeded' });
    expect(runsOf(host)).toBe(1);
  });

  test('is lost but proved when its supervisor is killed, and is not run again', async () => {
    await using host = bakeHost(packer);
    const input = await slow(host);
    await host.runner.begin(input);
    const { supervisor, packer: pid } = await untilWorking(host, input);
    kill9(supervisor);
    await eventually(() => !alive(supervisor));
    expect((await host.again().attempts())[0]).toMatchObject({ state: 'running' });
    await host.again().begin(input);
    const watching = watch(host.again(), input.mark.attemptId);
    expect(alive(pid)).toBe(true);
    go(host);
    const outcome = await watching;
    expect(outcome).toMatchObject({
      ended: 'lost',
      sources: [{ source: 'file.base', state: 'done', artifacts: [{ builderType: 'file' }] }],
      failure: { code: 'host_lost' },
    });
    expect(existsSync(outcome.sources[0]?.artifacts[0]?.files[0] ?? '')).toBe(true);
    expect(runsOf(host)).toBe(1);
  });

  test('is lost and proves nothing when everything is killed', async () => {
    await using host = bakeHost(packer);
    const input = await slow(host);
    await host.runner.begin(input);
    const { supervisor } = await untilWorking(host, input);
    kill9(supervisor);
    const folder = join(host.attemptsDir, input.mark.attemptId);
    await eventually(() => {
      const left = processesNaming(folder);
      for (const pid of left) kill9(pid);
      return left.length === 0;
    });
    expect(await watch(host.again(), input.mark.attemptId)).toMatchObject({
      ended: 'lost',
      sources: [{ state: 'failed', artifacts: [], error: expect.stringContaining('not known whether') }],
    });
    await host.again().sweepLocal(input.mark.attemptId);
    expect(readdirSync(host.attemptsDir)).toEqual(['.cache']);
  });

  test('is not ended when watching is aborted, and is not swept while it runs', async () => {
    await using host = bakeHost(packer);
    const input = await slow(host);
    await host.runner.begin(input);
    const { packer: pid } = await untilWorking(host, input);
    const abort = new AbortController();
    const watching = host.runner.watch(input.mark.attemptId, { signal: abort.signal });
    abort.abort(new Error('the worker shuts down'));
    await expect(watching).rejects.toThrow('the worker shuts down');
    expect(alive(pid)).toBe(true);
    await expect(host.runner.sweepLocal(input.mark.attemptId)).rejects.toMatchObject({
      code: 'illegal_state',
    });
    go(host);
    expect(await watch(host.again(), input.mark.attemptId)).toMatchObject({ ended: 'succeeded' });
  });

  test('is cancelled with all its processes, also when the supervisor is dead, and leaves nothing', async () => {
    await using host = bakeHost(packer);
    for (const killSupervisor of [false, true]) {
      const input = await slow(host, {
        variables: { witness: join(host.path, `witness-${killSupervisor}`) },
      });
      await host.runner.begin(input);
      await eventually(() => lines(join(host.path, `witness-${killSupervisor}`)).length === 1);
      const folder = join(host.attemptsDir, input.mark.attemptId);
      if (killSupervisor) kill9(startedOf(host, input)?.supervisor.pid ?? -1);
      await host.again().cancel(input.mark.attemptId, 10_000);
      await eventually(() => processesNaming(folder).length === 0);
      const outcome = await watch(host.again(), input.mark.attemptId);
      expect(outcome).toMatchObject({
        ended: 'cancelled',
        failure: { code: 'cancelled' },
        sources: [{ state: 'failed' }],
      });
      // Packer ended by itself: it was asked to, not killed.
      if (!killSupervisor) expect(outcome.signal).toBeNull();
      await host.runner.sweepLocal(input.mark.attemptId);
    }
    expect(readdirSync(host.attemptsDir)).toEqual(['.cache']);
  });

  test('that was cancelled before it began never begins', async () => {
    await using host = bakeHost(packer);
    const input = await slow(host);
    await host.runner.validate(input);
    await host.runner.cancel(input.mark.attemptId, 1_000);
    await host.runner.begin(input);
    expect(await watch(host.runner, input.mark.attemptId)).toMatchObject({
      ended: 'cancelled',
      startedAt: null,
    });
    expect(runsOf(host)).toBe(0);
  });

  test('is ended at its time limit with the setting to raise', async () => {
    await using host = bakeHost(packer);
    const input = await slow(host, { timeLimitMs: 2_000 });
    await host.runner.begin(input);
    expect(await watch(host.runner, input.mark.attemptId)).toMatchObject({
      ended: 'time limit',
      failure: { code: 'bake_failed', message: 'time limit of 2s reached; raise `timeLimit`' },
    });
    await eventually(() => processesNaming(join(host.attemptsDir, input.mark.attemptId)).length === 0);
  });

  test('that this host does not know is said so', async () => {
    await using host = bakeHost(packer);
    await expect(watch(host.runner, 'unknown')).rejects.toMatchObject({ code: 'not_found' });
    const input = await slow(host);
    await host.runner.validate(input);
    await expect(watch(host.runner, input.mark.attemptId)).rejects.toMatchObject({ code: 'not_found' });
    await host.runner.cancel('unknown', 10);
    await host.runner.sweepLocal('unknown');
  });
});
