/** The examples for clouds: their lines can be read, and every Packer that has their builders accepts them with a bake's variables. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeSshKeyPair } from '../../src/providers/ssh-key.ts';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { parseLines } from '../../src/config/parse-lines.ts';
import { loadTools } from '../../src/config/tools.ts';
import { isFailure } from '../../src/domain/failure.ts';
import type { VariableValue } from '../../src/packer/attempt.ts';
import type { AttemptTemplate } from '../../src/packer/runner.ts';
import { attempt, bakeHost, changed, example } from './support/attempts.ts';
import { packersUnderTest, packersWithAmazon } from './support/packers.ts';
import { temporaryFolder } from './support/runs.ts';

vi.setConfig({ testTimeout: 120_000 });

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const folders = ['aws', 'azure', 'legacy-json', 'multi-cloud'];
const login = {
  ARM_CLIENT_ID: 'id',
  ARM_CLIENT_SECRET: 'a-secret',
  ARM_TENANT_ID: 'id',
  ARM_SUBSCRIPTION_ID: 'id',
};

interface Example {
  readonly file: string;
  readonly builders: readonly string[];
  readonly variables?: Readonly<Record<string, VariableValue>>;
  /** What the providers of its targets offer. */
  readonly offered: Readonly<Record<string, VariableValue>>;
  readonly environment?: Readonly<Record<string, string>>;
}

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const key = path.join(folder.path, 'key');
writeFileSync(key, makeSshKeyPair().private, { mode: 0o600 });

const id = '00000000-0000-4000-8000-000000000000';
const amazon = { temporary_key_pair_name: 'bakehouse-x', ec2_endpoint: 'http://127.0.0.1:9' };
const azure = { subscription_id: id, tenant_id: id, client_id: id, client_secret: 'a-secret' };
const all: readonly Example[] = [
  { file: 'aws/linux.pkr.hcl', builders: ['amazon-ebs'], offered: amazon },
  { file: 'aws/windows.pkr.hcl', builders: ['amazon-ebs'], offered: amazon },
  {
    file: 'azure/linux.pkr.hcl',
    builders: ['azure-arm'],
    offered: azure,
    variables: { resource_group: 'g' },
  },
  {
    file: 'legacy-json/azure.json',
    builders: ['azure-arm'],
    offered: {},
    variables: { resource_group: 'g' },
    environment: login,
  },
  {
    file: 'multi-cloud/web.pkr.hcl',
    builders: ['amazon-ebs', 'qemu'],
    offered: { ...amazon, ssh_private_key_file: key, seed_disk: '/dev/null' },
    variables: { seed_image: loadTools().seedImage?.path ?? '' },
  },
];
const packers = [...packersUnderTest, ...packersWithAmazon.filter(({ plugins }) => plugins !== undefined)];

const input = async ({ variables = {}, offered, environment = {} }: Example, template: AttemptTemplate) => {
  const bare = await attempt(template, { variables, environment });
  return { ...bare, offered: { attempt_id: bare.mark.attemptId, ...offered } };
};

const complaint = async (action: Promise<unknown>): Promise<string> =>
  action.then(
    () => 'nothing',
    (error: unknown) => (isFailure(error) ? `${error.code}: ${error.message}` : String(error)),
  );

test.each(folders)('the lines of examples/%s are image lines, of templates that are there', (name) => {
  const file = path.join(examples, name, 'bakehouse.yaml');
  const [document] = parseLines(readFileSync(file, 'utf8'), file);
  const entries = document?.lines.flatMap(({ template }) => (template.kind === 'path' ? template.entry : []));
  const there = readdirSync(path.join(examples, name)).filter((one) => /\.pkr\.hcl$|\.json$/.test(one));
  expect(entries?.toSorted()).toEqual(there.toSorted());
});

describe.each(all)('examples/$file', (one) => {
  const able = packers.filter(({ builders }) => one.builders.every((name) => builders.includes(name)));

  test.each(able)('is accepted by Packer $version', async (packer) => {
    await using host = bakeHost(packer);
    await host.runner.validate(await input(one, await example(one.file)));
  });

  test('names what to install to a Packer that has not the builders', async () => {
    const bare = packersUnderTest.find(
      ({ builders }) => !one.builders.some((name) => builders.includes(name)),
    );
    if (bare === undefined) throw new Error('a Packer without plugins was expected');
    await using host = bakeHost({ path: bare.path, plugins: path.join(examples, 'no-plugins-here') });
    const said = await complaint(host.runner.validate(await input(one, await example(one.file))));
    const commands = one.builders.map(
      (name) => `\`packer plugins install github.com/hashicorp/${name.split('-')[0]}\``,
    );
    expect(said).toMatch(/^tool_missing: no Packer here has the builder /);
    for (const command of commands) expect(said).toContain(command);
  });
});

describe('a cloud template that makes something without the mark is refused with the line to write', () => {
  const [linux, , azureLinux, legacy] = all;
  const cases: readonly (readonly [string, Example | undefined, Record<string, string>, string])[] = [
    [
      'run_tags',
      linux,
      { '  run_tags        = local.mark\n': '' },
      'run_tags = { bake_id = var.bake_id, attempt_id = var.attempt_id }',
    ],
    [
      'run_volume_tags',
      linux,
      { '  run_volume_tags = local.mark\n': '' },
      'run_volume_tags = { bake_id = var.bake_id, attempt_id = var.attempt_id }',
    ],
    [
      'snapshot_tags',
      linux,
      { '  snapshot_tags   = local.mark\n': '' },
      'snapshot_tags = { bake_id = var.bake_id, attempt_id = var.attempt_id }',
    ],
    [
      'tags',
      linux,
      { '  tags            = local.mark\n': '' },
      '  tags = { bake_id = var.bake_id, attempt_id = var.attempt_id }',
    ],
    [
      'half of the mark',
      linux,
      {
        '    attempt_id = var.attempt_id\n    image_name = var.image_name\n  }\n}\n\nsource':
          '  }\n}\n\nsource',
      },
      'run_tags = { bake_id',
    ],
    [
      'another tag',
      linux,
      { '    attempt_id = var.attempt_id\n    image_name': '    attempt = var.attempt_id\n    image_name' },
      'run_tags = { bake_id',
    ],
    [
      'spot requests',
      linux,
      { '  tags            = local.mark\n': '  tags = local.mark\n  spot_price = "auto"\n' },
      'spot_tags = { bake_id',
    ],
    [
      'the name',
      linux,
      { '= var.image_name\n  ami_desc': '= "fixed"\n  ami_desc' },
      'ami_name = var.image_name',
    ],
    [
      'the key pair',
      linux,
      { '  temporary_key_pair_name = var.temporary_key_pair_name\n': '' },
      'temporary_key_pair_name = var.temporary_key_pair_name',
    ],
    [
      'a role',
      linux,
      {
        '  tags            = local.mark\n':
          '  tags = local.mark\n  temporary_iam_instance_profile_policy_document {\n    Version = "2012-10-17"\n  }\n',
      },
      'its role would stay',
    ],
    [
      'azure_tags',
      azureLinux,
      { '  azure_tags = {': '  no_tags = {' },
      'azure_tags = { bake_id = var.bake_id, attempt_id = var.attempt_id }',
    ],
    [
      'a managed image',
      azureLinux,
      { '  managed_image_name                = var.image_name\n': '' },
      'managed_image_name = var.image_name',
    ],
    [
      'a temporary group',
      azureLinux,
      { '  temp_resource_group_name          = "packer-${var.attempt_id}"\n': '' },
      'temp_resource_group_name = "packer-${var.attempt_id}"',
    ],
    [
      'a legacy template',
      legacy,
      { '"attempt_id": "{{user `attempt_id`}}",\n        "image_name"': '"image_name"' },
      '"azure_tags": { "bake_id": "{{user `bake_id`}}", "attempt_id": "{{user `attempt_id`}}" }',
    ],
  ];

  test.each(cases)('%s', async (_, one, change, line) => {
    if (one === undefined) throw new Error('an example was expected');
    const [packer] = packers;
    if (packer === undefined) throw new Error('a Packer was expected');
    await using host = bakeHost(packer);
    const template = await changed(await example(one.file), change);
    const said = await complaint(host.runner.validate(await input(one, template)));
    expect(said).toMatch(/^invalid_input: the template does not fit:/);
    expect(said).toContain('may leave things that nobody finds; write in it:');
    expect(said).toContain(line);
  });

  test('tags that are merged, written as blocks, or in HCL’s JSON form count', async () => {
    if (linux === undefined) throw new Error('an example was expected');
    const [packer] = packers;
    if (packer === undefined) throw new Error('a Packer was expected');
    await using host = bakeHost(packer);
    const template = await changed(await example(linux.file), {
      'run_tags        = local.mark':
        'run_tags = merge({ team = "a" }, { "bake_id" = var.bake_id, attempt_id = "${var.attempt_id}" })',
      '  tags            = local.mark\n':
        '  tag {\n    key   = "bake_id"\n    value = var.bake_id\n  }\n  tag {\n    key   = "attempt_id"\n    value = var.attempt_id\n  }\n',
    });
    expect(await complaint(host.runner.validate(await input(linux, template)))).toBe('nothing');
  });
});
