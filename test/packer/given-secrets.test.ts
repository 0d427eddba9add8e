import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test, vi } from 'vitest';

import { isFailure } from '../../src/domain/failure.ts';
import { resolveCommit } from '../../src/packer/git.ts';
import { runProgram } from '../../src/packer/program.ts';
import type { PackerRunner } from '../../src/packer/runner.ts';
import { writeRecord } from '../../src/packer/supervisor/records.ts';
import { attempt, bakeHost, type Host } from './support/attempts.ts';
import { packersUnderTest } from './support/packers.ts';
import { read, shell, temporaryFolder } from './support/runs.ts';

// Real processes, also on a machine that is busy with other suites.
vi.setConfig({ testTimeout: 120_000 });

const [packer] = packersUnderTest;
if (packer === undefined) throw new Error('no Packer');

/** A Packer whose `verb` does something else. */
function packerBut(folder: string, verb: 'inspect' | 'build', script: string): { readonly path: string } {
  const path = join(folder, 'packer');
  const lines = ['#!/bin/sh', `if [ "$1" = ${verb} ]; then`, script, 'fi', `exec ${packer?.path} "$@"`, ''];
  writeFileSync(path, lines.join('\n'), { mode: 0o755 });
  return { path };
}

async function watched(runner: PackerRunner, attemptId: string) {
  let log = '';
  const onLog = (_offset: number, text: string) => void (log += text);
  return { outcome: await runner.watch(attemptId, { signal: AbortSignal.timeout(60_000), onLog }), log };
}

const environment = { CLOUD_KEY: 'given-very-secret' };

const given = async (which: string) =>
  attempt('secret', {
    variables: { password: `password-${which}`, token: `token-${which}` },
    secret: ['token', 'password'],
    environment: { CLOUD_KEY: `cloud-key-${which}` },
    mark: { bakeId: 'bake', attemptId: 'attempt', imageName: 'image' },
  });

describe('secrets that a bake is given', () => {
  test('are not in the words with which a program cannot be run', async () => {
    const env = { SECRET: 'xyzzy\0plugh' };
    const error: unknown = await runProgram('/bin/true', [], { env, timeoutMs: 1_000 }).catch(
      (thrown: unknown) => thrown,
    );
    expect(isFailure(error) && [error.code, error.cause]).toEqual(['invalid_input', undefined]);
    expect(String(error)).toContain('cannot run /bin/true');
    expect(String(error)).toContain('ERR_INVALID_ARG_VALUE');
    expect(String(error)).not.toMatch(/xyzzy|plugh/);
  });

  test('are not in the words with which Packer refuses to list the sources', async () => {
    using home = temporaryFolder();
    const said = packerBut(home.path, 'inspect', 'echo "cannot read $CLOUD_KEY" >&2; exit 1');
    await using host = bakeHost(said);
    const input = await attempt('success', { environment });
    await expect(host.runner.validate(input)).rejects.toThrow(
      /^Packer refuses the template:\ncannot read \*\*\*$/,
    );
  });

  test('are not in what is kept of the end of stderr, though its beginning is cut, and not in an artifact', async () => {
    using home = temporaryFolder();
    // The last 16 KiB begin within the secret.
    const tail = `secret\n${'x'.repeat(16 * 1024 - 7)}`;
    writeFileSync(join(home.path, 'stderr'), `given-very-${tail}`);
    const lines = ['builder-id,packer.file', 'id,img-$CLOUD_KEY', 'end'];
    const prints = lines.map((line) => `echo "1795257428,line.file.base,artifact,0,${line}"`);
    const script = [...prints, `cat ${join(home.path, 'stderr')} >&2`, 'exit 0'].join('\n');
    await using host = bakeHost(packerBut(home.path, 'build', script));
    const input = await attempt('success', { environment });
    await host.runner.begin(input);
    const { outcome, log } = await watched(host.runner, input.mark.attemptId);
    expect(log).toContain('xxxx');
    expect(log).not.toContain('secret');
    expect(outcome.sources[0]?.artifacts).toMatchObject([{ artifactId: 'img-***' }]);
    expect(JSON.stringify(outcome)).not.toContain('very');
  });

  test('are those that were written down for its Packer, though others were issued after a death', async () => {
    await using host = bakeHost(packer);
    await host.runner.validate(await given('first'));
    expect(await stateOf(host)).toBe('prepared');
    const folder = join(host.attemptsDir, 'attempt');
    mkdirSync(join(folder, 'run'));
    const spec = shell(`echo "$CLOUD_KEY" > ${folder}/told`, { env: { CLOUD_KEY: 'cloud-key-first' } });
    writeRecord(join(folder, 'run'), 'spec.json', spec);
    expect(await stateOf(host)).toBe('starting');

    await host.again().begin(await given('second'));
    await watched(host.runner, 'attempt');
    expect(read(join(folder, 'told'))).toBe('cloud-key-first\n');
    const kept = ['variables.pkrvars.json', 'secrets.json'].map((name) => read(join(folder, name)));
    expect(kept.join('')).toContain('token-first');
    expect(kept.join('')).not.toContain('second');
    expect(existsSync(join(folder, 'run/spec.json'))).toBe(false);
  });
});

const stateOf = async (host: Host) => (await host.again().attempts()).map(({ state }) => state)[0];

test('git gets none of our own secrets, and what it needs of the rest', async () => {
  using home = temporaryFolder();
  const repository = join(home.path, 'repository');
  mkdirSync(repository);
  const git = (...args: string[]) => execFileSync('git', ['-C', repository, ...args]);
  git('init', '--quiet', '-b', 'main');
  git('-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '--quiet', '--allow-empty', '-m', 'one');
  const wrapper = join(home.path, 'git');
  writeFileSync(wrapper, `#!/bin/sh\nenv > ${home.path}/seen\nexec git "$@"\n`, { mode: 0o755 });
  const secrets = {
    BAKEHOUSE_TOKEN: 'xyzzy',
    BAKEHOUSE_DATABASE_URL: 'xyzzy',
    VAULT_TOKEN: 'xyzzy',
    DATABASE_URL: 'xyzzy',
    PGPASSWORD: 'xyzzy',
  };
  const caller = { ...process.env, GIT_SSH_COMMAND: 'ssh -i key', ...secrets };
  const commit = await resolveCommit(repository, 'main', { git: wrapper, environment: caller });
  expect(commit).toMatch(/^[0-9a-f]{40}$/);
  const seen = readFileSync(join(home.path, 'seen'), 'utf8');
  expect(seen).not.toContain('xyzzy');
  expect(seen).toContain('GIT_SSH_COMMAND=ssh -i key');
});
