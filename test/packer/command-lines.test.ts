/** Secrets and command lines: what Packer would show there is refused before it starts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test, vi } from 'vitest';

import { isFailure } from '../../src/domain/failure.ts';
import { refuseShownSecrets } from '../../src/packer/command-lines.ts';
import { readTemplate } from '../../src/packer/template-facts.ts';
import { attempt, bakeHost, changed, snapshot } from './support/attempts.ts';
import { packersUnderTest } from './support/packers.ts';

vi.setConfig({ testTimeout: 120_000 });

const variables = { password: 'the-given-password', token: 'the-given-token' };
const inEnvironmentVars = async () =>
  changed(
    { ...(await snapshot('secret')), entry: 'base.pkr.hcl' },
    {
      'provisioner "shell-local" {\n':
        'provisioner "shell-local" {\n    environment_vars = ["TOKEN=${var.token}"]\n',
    },
  );

async function refusal(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (isFailure(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing';
}

describe.each(packersUnderTest)('Packer $version', (packer) => {
  test('writes environment_vars of a shell-local on a command line: a secret of the attempt is refused there', async () => {
    await using host = bakeHost(packer);
    const open = await attempt(await inEnvironmentVars(), { variables });
    await host.runner.begin(open);
    writeFileSync(join(host.attemptsDir, open.mark.attemptId, 'output.go'), '');
    let log = '';
    const onLog = (_offset: number, text: string) => void (log += text);
    await host.runner.watch(open.mark.attemptId, { signal: AbortSignal.timeout(60_000), onLog });
    expect(log).toMatch(/cmdline: \/bin\/sh -c .*TOKEN='the-given-token'/);

    const secret = await attempt(await inEnvironmentVars(), { variables, secret: ['token'] });
    for (const step of ['validate', 'begin'] as const) {
      expect(await refusal(() => host.runner[step](secret))).toMatch(
        /^invalid_input: a shell-local uses the secret token in environment_vars.* every user of the host can read: use it in `inline`/,
      );
    }
  });
});

const build = (body: string) =>
  readTemplate({ 'a.pkr.hcl': `build {\n${body}\n}\nlocals {\n  words = ["A=\${var.hidden}"]\n}` });

const variablesOf = (name: string, read: string) => ({
  name,
  required: false,
  sensitive: false,
  reads: [read],
});

describe('what a template shows', () => {
  test.each([
    ['provisioner', 'environment_vars = ["A=${var.token}", "B=${var.b}"]', ['token', 'b']],
    ['post-processor', 'env = { A = var.token }', ['token']],
    ['error-cleanup-provisioner', 'execute_command = ["sh", "-c", "{{.Script}} ${var.token}"]', ['token']],
    ['provisioner', 'environment_vars = local.words', ['hidden']],
    ['provisioner', 'inline = ["echo ${var.token}"]', []],
  ])('by a %s with %s', async (block, setting, names) => {
    expect((await build(`${block} "shell-local" {\n${setting}\n}`)).commandLines).toEqual(names);
  });

  test('in a chain of post-processors, and in legacy JSON; in a guest it is the guest’s', async () => {
    const shell = 'environment_vars = ["A=${var.token}"]';
    const chain = await build(`post-processors {\npost-processor "shell-local" {\n${shell}\n}\n}`);
    expect(chain.commandLines).toEqual(['token']);
    expect((await build(`provisioner "shell" {\n${shell}\n}`)).commandLines).toEqual([]);
    const legacy = {
      builders: [{ type: 'file' }],
      provisioners: [{ type: 'shell-local', environment_vars: ['A={{user `token`}}', 'B={{ user "b" }}'] }],
      'post-processors': [[{ type: 'shell-local', env: { A: '{{user `c`}}' } }]],
    };
    expect((await readTemplate({ 'a.json': JSON.stringify(legacy) })).commandLines).toEqual([
      'token',
      'b',
      'c',
    ]);
  });

  test('is secret also where a variable reads it from the environment that is given', async () => {
    const commandLines = ['id', 'region'];
    const facts = {
      commandLines,
      variables: [variablesOf('id', 'CLOUD_KEY'), variablesOf('region', 'REGION')],
    };
    const environment = { CLOUD_KEY: 'x', REGION: 'y' };
    expect(
      await refusal(() => refuseShownSecrets(facts, { environment, openEnvironment: ['REGION'] })),
    ).toContain('uses the secret id in');
    expect(await refusal(() => refuseShownSecrets(facts, {}))).toBe('nothing');
  });
});
