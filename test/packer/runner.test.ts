import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test, vi } from 'vitest';

import { isFailure } from '../../src/domain/failure.ts';
import type { AttemptOutcome, AttemptProgress, PackerRunner } from '../../src/packer/runner.ts';
import { attempt, bakeHost, snapshot } from './support/attempts.ts';
import { packersUnderTest } from './support/packers.ts';
import { eventually, processesNaming, read } from './support/runs.ts';

// Real processes, also on a machine that is busy with other suites.
vi.setConfig({ testTimeout: 120_000 });

interface Watched {
  readonly outcome: AttemptOutcome;
  readonly log: string;
  readonly progress: readonly AttemptProgress[];
}

/** Also proves that every piece of log stands at the offset it was given for. */
async function watch(runner: PackerRunner, attemptId: string, logFrom = 0): Promise<Watched> {
  const progress: AttemptProgress[] = [];
  let log = '';
  const outcome = await runner.watch(attemptId, {
    signal: AbortSignal.timeout(60_000),
    logFrom,
    onProgress: (one) => progress.push(one),
    onLog: (offset, text) => {
      expect(offset).toBe(logFrom + Buffer.byteLength(log));
      log += text;
    },
  });
  expect(progress.at(-1)?.logBytes).toBe(logFrom + Buffer.byteLength(log));
  return { outcome, log, progress };
}

async function complaint(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (isFailure(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing';
}

describe.each(packersUnderTest)('with Packer $version', (packer) => {
  test('a template is validated and baked, its image is recorded, and nothing of it is left after the sweep', async () => {
    await using host = bakeHost(packer);
    const input = await attempt('success', { variables: { words: ['b', 'c'] } });
    const { attemptId, imageName, bakeId } = input.mark;
    await host.runner.validate(input);
    const begun = await host.runner.begin(input);
    expect(begun).toMatchObject({ attemptId, packer: { version: packer.version }, sources: ['file.base'] });
    const { outcome, log, progress } = await watch(host.runner, attemptId);
    const image = join(host.attemptsDir, attemptId, 'output', `${imageName}.img`);
    expect(outcome).toEqual({
      attemptId,
      ended: 'succeeded',
      exitCode: 0,
      signal: null,
      startedAt: expect.any(String),
      endedAt: expect.any(String),
      packerVersion: packer.version,
      sources: [
        {
          source: 'file.base',
          state: 'done',
          artifacts: [{ source: 'file.base', builderType: 'file', artifactId: 'File', files: [image] }],
        },
      ],
    });
    expect(readFileSync(image, 'utf8')).toBe(`made by ${bakeId}: b c`);
    expect(log).toContain('line.file.base: first, with a comma\n');
    expect(progress.at(-1)).toMatchObject({ phase: 'ended', sources: { 'file.base': 'done' } });
    expect((await host.runner.attempts()).map((one) => one.state)).toEqual(['finished']);
    await host.runner.sweepLocal(attemptId);
    await host.runner.sweepLocal(attemptId);
    expect(readdirSync(host.attemptsDir)).toEqual(['.cache']);
  });

  test('the outcome stays what it was when the image has been taken away, and the log goes on where it was stored', async () => {
    await using host = bakeHost(packer);
    const input = await attempt('success');
    await host.runner.begin(input);
    const first = await watch(host.runner, input.mark.attemptId);
    const [file] = first.outcome.sources[0]?.artifacts[0]?.files ?? [];
    rmSync(file ?? '');
    const again = await watch(host.again(), input.mark.attemptId);
    expect(again.outcome).toEqual(first.outcome);
    expect(again.log).toBe(first.log);
    const from = Buffer.byteLength(first.log.split('\n').slice(0, 3).join('\n')) + 1;
    const rest = await watch(host.again(), input.mark.attemptId, from);
    expect(rest.log).toBe(first.log.split('\n').slice(3).join('\n'));
    expect(await host.again().begin(input)).toMatchObject({ startedAt: first.outcome.startedAt });
  });

  test('what others put among the attempts is none of them', async () => {
    await using host = bakeHost(packer);
    const input = await attempt('success');
    await host.runner.validate(input);
    mkdirSync(join(host.attemptsDir, 'lost+found'));
    const ids = (await host.runner.attempts()).map(({ attemptId }) => attemptId);
    expect(ids).toEqual([input.mark.attemptId]);
  });

  test('a failing provisioner fails the bake with its reason and its log', async () => {
    await using host = bakeHost(packer);
    const input = await attempt('failing');
    await host.runner.begin(input);
    const { outcome, log } = await watch(host.runner, input.mark.attemptId);
    expect(outcome).toMatchObject({
      ended: 'failed',
      exitCode: 1,
      sources: [{ source: 'file.base', state: 'failed', artifacts: [] }],
      failure: {
        code: 'bake_failed',
        message: expect.stringContaining('Script exited with non-zero exit status: 7'),
      },
    });
    expect(log).toContain('file.base: the last words\n');
  });

  test('of two sources one fails: the other one’s image is recorded', async () => {
    await using host = bakeHost(packer);
    const input = await attempt('partial');
    await host.runner.begin(input);
    const { outcome } = await watch(host.runner, input.mark.attemptId);
    expect(outcome).toMatchObject({
      ended: 'partly',
      exitCode: 1,
      sources: [
        { source: 'file.good', state: 'done', artifacts: [{ builderType: 'file' }] },
        {
          source: 'file.bad',
          state: 'failed',
          artifacts: [],
          error: expect.stringContaining('exit status: 1'),
        },
      ],
      failure: { code: 'bake_failed', message: expect.stringContaining('made before: file.good') },
    });
    const named = await attempt('success', { only: ['file.base'] });
    await host.runner.begin(named);
    expect((await watch(host.runner, named.mark.attemptId)).outcome).toMatchObject({ ended: 'succeeded' });
    const only = await attempt('partial', { only: ['file.good'] });
    expect(await host.runner.templateSources(only)).toEqual(['file.good', 'file.bad']);
    await host.runner.begin(only);
    expect((await watch(host.runner, only.mark.attemptId)).outcome).toMatchObject({
      ended: 'succeeded',
      sources: [{ source: 'file.good', state: 'done' }],
    });
  });

  test('Packer ends with 0 and made nothing: that is a failure which says so', async () => {
    await using host = bakeHost(packer);
    const input = await attempt('nothing');
    await host.runner.begin(input);
    expect((await watch(host.runner, input.mark.attemptId)).outcome).toMatchObject({
      ended: 'failed',
      exitCode: 0,
      failure: {
        code: 'bake_failed',
        message: 'Packer ended with 0 but made nothing for file.base: the manifest holds no image of it',
      },
    });
  });

  test('a legacy JSON template bakes too, its variables by file', async () => {
    await using host = bakeHost(packer);
    const template = { ...(await snapshot('legacy')), entry: 'base.json' };
    const input = await attempt(template, { variables: { password: 'hunter2-legacy' } });
    await host.runner.validate(input);
    await host.runner.begin(input);
    const { outcome, log } = await watch(host.runner, input.mark.attemptId);
    expect(outcome).toMatchObject({ ended: 'succeeded', sources: [{ source: 'file.web', state: 'done' }] });
    expect(log).toContain('web: the password is ***');
    expect(log).not.toContain('hunter2-legacy');
  });

  test('what is wrong is refused before anything runs, in words that say what to write', async () => {
    await using host = bakeHost(packer);
    const said = async (input: Parameters<PackerRunner['validate']>[0]) =>
      complaint(() => host.runner.validate(input));
    expect(await said(await attempt('without-names'))).toContain('post-processor "manifest" {');
    expect(await said(await attempt('success', { variables: { nope: 'x' } }))).toContain(
      'declare the variable nope',
    );
    expect(await said(await attempt('success', { variables: { bake_id: 'x' } }))).toContain(
      'bake_id cannot be set',
    );
    expect(await said(await attempt('secret'))).toMatch(/needs a value for password, token/);
    expect(await said(await attempt('success', { variables: { words: 7 } }))).toMatch(
      /^invalid_input: Packer refuses the template:\n.*words/s,
    );
    const broken = await snapshot('success');
    expect(await said(await attempt({ ...broken, entry: 'nope.pkr.hcl' }))).toContain('has no nope.pkr.hcl');
    expect(
      await said(await attempt('success', { mark: { bakeId: 'b', attemptId: '../x', imageName: 'i' } })),
    ).toContain('"../x" is not an attempt id');
    for (const one of await host.runner.attempts()) expect(one.state).toBe('prepared');
  });

  test('secrets are in no process’ arguments, no log, no failure, and Packer gets none of our environment', async () => {
    const marker = 'caller-secret-value';
    const callers = {
      HCP_CLIENT_SECRET: marker,
      PKR_VAR_password: marker,
      VAULT_TOKEN: marker,
      AWS_SECRET_ACCESS_KEY: marker,
    };
    await using host = bakeHost(packer, { ...process.env, ...callers });
    const input = await attempt('secret', {
      variables: { password: 'hunter2-very-secret', token: 'token-very-secret' },
      secret: ['token'],
      environment: { CLOUD_KEY: 'given-very-secret' },
    });
    const { attemptId } = input.mark;
    const folder = join(host.attemptsDir, attemptId);
    await host.runner.begin(input);
    // The supervisor, both processes of Packer and the provisioner's shell.
    const ours = await eventually(() => {
      const pids = processesNaming(folder);
      return pids.length >= 4 && pids;
    });
    for (const pid of ours) {
      expect(read(`/proc/${pid}/environ`)).not.toContain(marker);
      expect(read(`/proc/${pid}/environ`)).not.toMatch(/(^|\0)(HCP_|PKR_VAR_|VAULT_|AWS_SECRET)/);
      expect(read(`/proc/${pid}/cmdline`)).not.toMatch(/very-secret/);
    }
    writeFileSync(join(folder, 'output.go'), '');
    const { outcome, log, progress } = await watch(host.runner, attemptId);
    expect(log).toContain('cmdline: ');
    expect(log).toContain('the password is *** and ***');
    expect(log).toContain('the token is ***');
    const all = JSON.stringify([outcome, log, progress]);
    expect(all).not.toMatch(/hunter2|very-secret|built-in-secret|caller-secret/);
    for (const name of ['variables.pkrvars.json', 'secrets.json', 'run/stdout.log', 'run/started.json']) {
      expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
    }
    expect(statSync(folder).mode & 0o077).toBe(0);
    for (const name of ['attempt.json', 'run/started.json', 'outcome.json']) {
      expect(read(join(folder, name))).not.toMatch(/very-secret|caller-secret/);
    }
    expect(existsSync(join(folder, 'run/spec.json'))).toBe(false);
  });
});
