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
        /^invalid_input: shell-local uses the secret token in environment_vars, .* every user of the host can read: use it in `inline`/,
      );
    }
  });
});

const read = (text: string) => readTemplate({ 'a.pkr.hcl': text });
const build = (body: string) =>
  read(`build {\n${body}\n}\nlocals {\n  words = ["A=\${var.hidden}"]\n  again = [local["words"]]\n}`);
const source = (body: string, inBuild = 'sources = ["source.qemu.a"]') =>
  read(`source "qemu" "a" {\n${body}\n}\nbuild {\n${inBuild}\n}\nlocals {\n  words = ["\${var.hidden}"]\n}`);

const names = (shown: Awaited<ReturnType<typeof read>>) => shown.commandLines.map(({ name }) => name);
const settings = (shown: Awaited<ReturnType<typeof read>>) =>
  shown.commandLines.map(({ name, block, setting }) => `${block}.${setting} ${name}`);

const variable = (name: string, reading: string) => ({
  name,
  required: false,
  sensitive: false,
  reads: [reading],
});

describe('what a template shows', () => {
  test.each([
    ['provisioner', 'environment_vars = ["A=${var.token}", "B=${var.b}"]', ['token', 'b']],
    ['post-processor', 'env = { A = var.token }', ['token']],
    ['post-processor', 'env = { (var.token) = "A" }', ['token']],
    ['error-cleanup-provisioner', 'execute_command = ["sh", "-c", "{{.Script}} ${var.token}"]', ['token']],
    ['provisioner', 'environment_vars = local.words', ['hidden']],
    ['provisioner', 'environment_vars = local["again"]', ['hidden']],
    ['provisioner', 'environment_vars = ["A=${var["token"]}", var [ "b" ]]', ['token', 'b']],
    ['provisioner', 'override = { a = { environment_vars = [var.token] } }', ['token']],
    ['provisioner', 'inline = ["echo ${var.token}"]', []],
  ])('by a shell-local as %s with %s', async (block, setting, shown) => {
    expect(names(await build(`${block} "shell-local" {\n${setting}\n}`))).toEqual(shown);
  });

  test.each([
    ['ansible', 'extra_arguments = ["-e", "token=${var.token}"]', ['extra_arguments']],
    ['ansible', 'ansible_ssh_extra_args = [var.token]', ['ansible_ssh_extra_args']],
    ['ansible', 'command = "play-${var.token}"\ngalaxy_command = var.token', ['command', 'galaxy_command']],
    ['ansible', 'ansible_env_vars = ["TOKEN=${var.token}"]', []],
    ['inspec', 'extra_arguments = ["--input", "a=${var.token}"]', ['extra_arguments']],
    ['inspec', 'profile = "https://${var.token}@example.org/p"', ['profile']],
    ['inspec', 'inspec_env_vars = ["TOKEN=${var.token}"]', []],
    ['shell', 'environment_vars = ["A=${var.token}"]', []],
    ['ansible-local', 'extra_arguments = ["-e", "token=${var.token}"]', []],
    ['constructor', 'command = var.token', []],
  ])('by the provisioner %s with %s', async (type, setting, shown) => {
    expect(settings(await build(`provisioner "${type}" {\n${setting}\n}`))).toEqual(
      shown.map((one) => `${type}.${one} token`),
    );
  });

  test.each([
    ['qemuargs = [["-fw_cfg", "name=opt/token,string=${var.token}"]]', ['qemuargs token']],
    ['qemuargs = [["-fw_cfg", local.words]]', ['qemuargs hidden']],
    ['qemu_img_args {\nconvert = ["--object", "secret,id=s,data=${var.token}"]\n}', ['qemu_img_args token']],
    ['ssh_password = var.token', []],
  ])('by a qemu source with %s', async (setting, shown) => {
    expect(settings(await source(setting))).toEqual(shown.map((one) => `qemu.${one}`));
  });

  test('by what a build adds to its source, and not by a source that no build uses', async () => {
    const args = 'qemuargs = [["-smbios", "type=11,value=${var.token}"]]';
    expect(names(await source('', `source "source.qemu.a" {\n${args}\n}`))).toEqual(['token']);
    expect(names(await source(args, 'sources = []'))).toEqual([]);
  });

  test('in a chain of post-processors, and in legacy JSON, where variables name others', async () => {
    const shell = 'environment_vars = ["A=${var.token}"]';
    const chain = await build(`post-processors {\npost-processor "shell-local" {\n${shell}\n}\n}`);
    expect(names(chain)).toEqual(['token']);
    const legacy = {
      variables: { a: '{{user `deep`}}', deep: '', round: '{{user `round`}}' },
      builders: [{ type: 'file' }, { type: 'qemu', qemuargs: [['-name', '{{ user `q` | upper }}']] }],
      provisioners: [
        { type: 'shell-local', environment_vars: ['A={{user `token`}}', 'B={{ user "b" }}'] },
        { type: 'shell-local', override: { file: { env: { A: '{{ printf "%s" (user `o`) }}' } } } },
        { type: 'ansible', extra_arguments: ['{{user `a`}}{{user `round`}}'] },
      ],
      'error-cleanup-provisioner': { type: 'shell-local', env: { A: '{{user `clean`}}' } },
      'post-processors': [[{ type: 'shell-local', env: { A: '{{user `c`}}' } }]],
    };
    expect(names(await readTemplate({ 'a.json': JSON.stringify(legacy) }))).toEqual([
      'q',
      'token',
      'b',
      'o',
      'a',
      'deep',
      'round',
      'clean',
      'c',
    ]);
  });
});

describe('a secret that is shown', () => {
  test.each([
    ['provisioner "shell-local" {\nenv = { A = var.token }\n}', 'shell-local', 'env', 'use it in `inline`'],
    [
      'provisioner "ansible" {\nextra_arguments = [var.token]\n}',
      'ansible',
      'extra_arguments',
      "lookup('env', …)",
    ],
    ['provisioner "inspec" {\ncommand = var.token\n}', 'inspec', 'command', 'which InSpec inherits'],
  ])(
    'is refused with where it stands and what to write instead: %s',
    async (body, block, setting, remedy) => {
      const facts = await build(body);
      const said = await refusal(() => refuseShownSecrets(facts, { secret: ['token'] }));
      expect(said).toContain(
        `invalid_input: ${block} uses the secret token in ${setting}, which Packer writes on`,
      );
      expect(said).toContain(remedy);
      expect(await refusal(() => refuseShownSecrets(facts, { secret: ['other'] }))).toBe('nothing');
    },
  );

  test('is refused in a qemu source, beside what else shows one', async () => {
    const facts = await source(
      'qemuargs = [[var.token, var.other]]',
      'sources = ["source.qemu.a"]\nprovisioner "shell-local" {\nenv = { A = var.other }\n}',
    );
    const said = await refusal(() => refuseShownSecrets(facts, { secret: ['token', 'other'] }));
    expect(said).toMatch(
      /^invalid_input: qemu uses the secret token, other in qemuargs, .*`shell` or `file`/,
    );
    expect(said).toContain('; shell-local uses the secret other in env, ');
  });

  test('is one also where a variable reads it from the environment that is given', async () => {
    const commandLines = ['id', 'region'].map((name) => ({ name, block: 'shell-local', setting: 'env' }));
    const facts = {
      commandLines,
      variables: [variable('id', 'CLOUD_KEY'), variable('region', 'REGION')],
    };
    const environment = { CLOUD_KEY: 'x', REGION: 'y' };
    expect(
      await refusal(() => refuseShownSecrets(facts, { environment, openEnvironment: ['REGION'] })),
    ).toContain('uses the secret id in');
    expect(await refusal(() => refuseShownSecrets(facts, {}))).toBe('nothing');
  });
});
