import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test, vi } from 'vitest';

import { loadTools } from '../../src/config/tools.ts';
import type { AttemptInput, PackerRunner } from '../../src/packer/runner.ts';
import { createPackerRunner } from '../../src/packer/runner.ts';
import { readRecord } from '../../src/packer/supervisor/records.ts';
import { supervisor } from '../../src/packer/supervisor/supervisor.ts';
import { createQemuProvider } from '../../src/providers/qemu/index.ts';
import { attempt, bakeHost, example } from './support/attempts.ts';
import { packersUnderTest } from './support/packers.ts';
import { eventually, kill9, processesNaming, read, temporaryFolder } from './support/runs.ts';

// Real processes, also on a machine that is busy with other suites.
vi.setConfig({ testTimeout: 120_000 });

const tools = loadTools();
const signal = AbortSignal.timeout(180_000);

describe('the examples', () => {
  test.each(packersUnderTest)('file/slow.pkr.hcl bakes with Packer $version', async (packer) => {
    await using host = bakeHost(packer);
    const image = tools.seedImage?.path ?? '';
    const input = await attempt(await example('file/slow.pkr.hcl'), {
      variables: { seed_image: image, seconds: 1 },
    });
    await host.runner.validate(input);
    await host.runner.begin(input);
    const outcome = await host.runner.watch(input.mark.attemptId, { signal });
    expect(outcome).toMatchObject({ ended: 'succeeded', sources: [{ source: 'file.slow', state: 'done' }] });
  });

  test('qemu/base.pkr.hcl bakes in a real machine, by the Packer that has the builder, though a newer one is there', async () => {
    using folder = temporaryFolder();
    const { runner, input } = await machineBake(folder.path);
    const { attemptId } = input.mark;
    await runner.validate(input);
    expect(await runner.begin(input)).toMatchObject({ packer: { version: '1.6.6' } });
    const log: string[] = [];
    const outcome = await runner.watch(attemptId, { signal, onLog: (_, text) => void log.push(text) });
    expect(outcome, log.join('')).toMatchObject({
      ended: 'succeeded',
      sources: [{ source: 'qemu.base', state: 'done' }],
    });
    const [file = ''] = outcome.sources[0]?.artifacts[0]?.files ?? [];
    const about = execFileSync(tools.qemuImg?.path ?? '', ['info', '--output=json', file], {
      encoding: 'utf8',
    });
    expect(JSON.parse(about)).toMatchObject({ format: 'qcow2' });
    expect(processesNaming(join(folder.path, 'attempts'))).toEqual([]);
    await runner.sweepLocal(attemptId);
    expect(existsSync(file)).toBe(false);
  }, 180_000);

  test('a machine bake whose supervisor was killed is cancelled with its machine, and its disk is gone', async () => {
    using folder = temporaryFolder();
    const { runner, input } = await machineBake(folder.path);
    const { attemptId } = input.mark;
    await runner.begin(input);
    const places = join(folder.path, 'attempts', attemptId);
    const machine = await eventually(
      () => processesNaming(places).find((pid) => read(`/proc/${pid}/cmdline`).includes('qemu-system')),
      60_000,
    );
    kill9(readRecord(join(places, 'run'), 'started.json')?.supervisor.pid ?? -1);
    await runner.cancel(attemptId, 20_000);
    expect(read(`/proc/${machine}/cmdline`)).toBe('');
    expect(processesNaming(places)).toEqual([]);
    expect(await runner.watch(attemptId, { signal })).toMatchObject({ ended: 'cancelled' });
    expect(existsSync(join(places, 'output'))).toBe(false);
    await runner.sweepLocal(attemptId);
  }, 120_000);
});

async function machineBake(folder: string): Promise<{ runner: PackerRunner; input: AttemptInput }> {
  const runner = createPackerRunner({
    attemptsDir: join(folder, 'attempts'),
    packers: packersUnderTest.map(({ path }) => ({ path })).toReversed(),
    git: 'git',
    environment: process.env,
  });
  const provider = createQemuProvider({ storeDir: join(folder, 'store'), tools, supervise: supervisor });
  const bare = await attempt(await example('qemu/base.pkr.hcl'), { timeLimitMs: 170_000, graceMs: 20_000 });
  const prepared = await provider.prepareBake?.({
    mark: bare.mark,
    folder: await runner.providedFolder(bare.mark.attemptId),
    targets: [],
    timeLimitMs: 170_000,
  });
  const variables = { seed_image: tools.seedImage?.path ?? '' };
  return { runner, input: { ...bare, variables, offered: { ...prepared?.variables } } };
}
