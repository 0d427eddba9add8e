import { describe, expect, it } from 'vitest';
import { parseLines } from '../../src/config/parse-lines.ts';
import { isFailure } from '../../src/domain/failure.ts';

function refusal(yaml: string): string {
  try {
    parseLines(yaml, 'bakehouse.yaml');
  } catch (error) {
    expect(isFailure(error) && error.code).toBe('invalid_input');
    return isFailure(error) ? error.message : '';
  }
  throw new Error('nothing was refused');
}

/** One bucket with the lines given, four spaces deep. */
const bucket = (...lines: readonly string[]): string =>
  ['buckets:', '  base:', '    template: templates/base', ...lines.map((line) => `    ${line}`)].join('\n');

const childOf = (parent: string): string =>
  `{ template: x, channels: [dev], parents: [{ bucket: ${parent}, channel: dev, variable: img }] }`;

describe('a bakehouse.yaml', () => {
  it('needs no more than a bucket and a template', () => {
    const [document] = parseLines(bucket(), 'bakehouse.yaml');

    expect(document?.project).toBeUndefined();
    expect(document?.lines[0]).toEqual({
      line: {
        bucket: 'base',
        description: '',
        sources: [],
        variables: {},
        parents: [],
        targets: [{ provider: 'qemu', account: 'local', region: 'local', launch: {} }],
        tests: [],
        channels: [],
        timeLimitMs: 3_600_000,
        endOfLifeCascades: false,
      },
      template: { kind: 'path', path: 'templates/base' },
      templateAt: 'bakehouse.yaml:3:15',
    });
  });

  it('takes everything that a line can say', () => {
    const [document] = parseLines(
      `project: platform
buckets:
  app:
    description: The application
    template: { git: 'https://git.example/images.git', ref: main, entry: app.pkr.hcl }
    sources: [qemu.app]
    variables: { release: "1.10" }
    secrets:
      - { name: key, from: { kv: secret/app, key: private }, into: { variable: signing_key } }
      - { name: user, from: { lease: aws/creds/bake, key: access_key }, into: { environment: AWS_ACCESS_KEY_ID } }
    parents: [{ bucket: base, channel: prod, variable: parent_image }]
    targets: [{ provider: qemu, launch: { memoryMb: 256 } }]
    tests:
      - { name: release file, command: test -f /etc/release, timeout: 5s }
      - { name: no panic, console: 'login:' }
    channels: [dev, { name: prod, gates: { tested: true, verified: true, inOrder: true, soak: 1h, approvals: 2, approvalDeadline: 1d12h } }]
    timeLimit: 20m
    endOfLife: { after: 90d, cascades: true }
    deleteAfter: 30d
    adopt: true
`,
      'bakehouse.yaml',
    );

    expect(document?.project).toBe('platform');
    expect(document?.lines[0]?.template).toEqual({
      kind: 'git',
      repository: 'https://git.example/images.git',
      ref: 'main',
      entry: 'app.pkr.hcl',
    });
    expect(document?.lines[0]?.line).toMatchObject({
      variables: { release: '1.10' },
      secrets: [
        {
          name: 'key',
          from: { kind: 'kv', path: 'secret/app', key: 'private' },
          into: { kind: 'variable', name: 'signing_key' },
        },
        {
          name: 'user',
          from: { kind: 'lease', path: 'aws/creds/bake', key: 'access_key' },
          into: { kind: 'environment', name: 'AWS_ACCESS_KEY_ID' },
        },
      ],
      targets: [{ provider: 'qemu', account: 'local', region: 'local', launch: { memoryMb: 256 } }],
      tests: [
        { name: 'release file', kind: 'command', command: 'test -f /etc/release', timeoutMs: 5000 },
        { name: 'no panic', kind: 'console', pattern: 'login:' },
      ],
      channels: [
        {
          name: 'dev',
          gates: {
            tested: false,
            verified: false,
            inOrder: false,
            soakMs: 0,
            approvals: 0,
            approvalDeadlineMs: 0,
          },
        },
        {
          name: 'prod',
          gates: {
            tested: true,
            verified: true,
            inOrder: true,
            soakMs: 3_600_000,
            approvals: 2,
            approvalDeadlineMs: 129_600_000,
          },
        },
      ],
      timeLimitMs: 1_200_000,
      endOfLifeMs: 7_776_000_000,
      endOfLifeCascades: true,
      deleteAfterMs: 2_592_000_000,
      adopt: true,
    });
  });

  it('may hold several documents, each with its project', () => {
    const documents = parseLines(
      `project: one-a\n${bucket()}\n---\nproject: two-b\n${bucket()}\n---\n`,
      'bakehouse.yaml',
    );

    expect(documents.map((one) => one.project)).toEqual(['one-a', 'two-b']);
  });

  it('follows an alias to where it was written', () => {
    const yaml = `buckets:
  base: { template: x, channels: &path [dev, prod] }
  app: { template: y, channels: *path }
`;

    expect(parseLines(yaml, 'f')[0]?.lines[1]?.line.channels.map((one) => one.name)).toEqual(['dev', 'prod']);
  });
});

describe('what a bakehouse.yaml is refused for', () => {
  it.each<[string, string, string]>([
    ['nothing in it', '', 'bakehouse.yaml is empty: begin with `buckets:` and one image line'],
    ['broken YAML', 'buckets: [1', 'bakehouse.yaml:1:12: '],
    ['a list', '[]', 'bakehouse.yaml:1:1: expected a mapping with `project`, `buckets`'],
    ['a key twice', `${bucket()}\n    template: y`, 'bakehouse.yaml:4:5: Map keys must be unique'],
    ['an unknown alias', 'buckets: *x', 'Unresolved alias'],
    ['an unknown tag', 'buckets: !env X', 'bakehouse.yaml:1:10: Unresolved tag: !env'],
    ['a key of JavaScript', 'buckets: {__proto__: {}}', 'bakehouse.yaml:1:11: `__proto__` cannot be a key'],
    ['no buckets', 'project: abc', '`buckets` is missing'],
    [
      'an unknown key at the top',
      'bucket: {}',
      'bakehouse.yaml:1:1: bucket: unknown key `bucket`; did you mean `buckets`?',
    ],
    ['an unknown key that resembles none', bucket('zzzzzz: 1'), 'valid keys: `description`, `template`'],
    [
      'an unknown key',
      bucket('chanels: [dev]'),
      'bakehouse.yaml:4:5: buckets.base.chanels: unknown key `chanels`; did you mean `channels`?',
    ],
    [
      'an unknown key deep inside',
      bucket('channels:', '  - {name: prod, gates: {testd: true}}'),
      'bakehouse.yaml:5:30: buckets.base.channels[0].gates.testd: unknown key `testd`; did you mean `tested`?',
    ],
    ['a bad project', 'project: a/b\nbuckets: {}', '"a/b" cannot be the name of a project'],
    [
      'a bad bucket',
      'buckets: {"b@d": {template: x}}',
      'bakehouse.yaml:1:11: buckets.b@d: "b@d" cannot be the name of a bucket',
    ],
    ['no template', 'buckets: {base: {}}', 'bakehouse.yaml:1:17: buckets.base: `template` is missing'],
    [
      'a template of another kind',
      'buckets: {base: {template: 7}}',
      'expected the path of a folder or file, or a mapping with `path` or `git`',
    ],
    [
      'a template without a place',
      'buckets: {base: {template: {entry: x}}}',
      'either `path` (a folder here) or `git` with `ref`',
    ],
    ['a repository without a ref', 'buckets: {base: {template: {git: x}}}', '`git` needs `ref`'],
    [
      'a ref without a repository',
      'buckets: {base: {template: {path: x, ref: main}}}',
      '`ref` belongs to `git`',
    ],
    [
      'a ref that is an option',
      'buckets: {base: {template: {git: x, ref: --upload-pack=x}}}',
      'begin with "-"',
    ],
    ['a source without a type', bucket('sources: [base]'), '[0]: is not a Packer source: write type.name'],
    [
      'a variable that is a number',
      bucket('variables: {release: 1.10}'),
      'must be text: put it in quotes, "1.1"',
    ],
    ['a variable with a bad name', bucket('variables: {"a b": x}'), 'is not the name of a Packer variable'],
    [
      'a parent without its channel',
      bucket('parents: [{bucket: abc, variable: x}]'),
      'buckets.base.parents[0]: `channel` is missing',
    ],
    [
      'a bucket that is its own parent',
      bucket('parents: [{bucket: base, channel: prod, variable: x}]'),
      'a bucket cannot be its own parent',
    ],
    [
      'a parent in a variable that is set',
      bucket('variables: {img: x}', 'parents: [{bucket: abc, channel: prod, variable: img}]'),
      '`variables` sets `img` too',
    ],
    [
      'a secret from nowhere',
      bucket('secrets: [{name: a, from: {key: k}, into: {variable: v}}]'),
      'buckets.base.secrets[0].from: say where it is: either `kv` or `lease`',
    ],
    [
      'a secret for nobody',
      bucket('secrets: [{name: a, from: {kv: s/a, key: k}, into: {}}]'),
      'buckets.base.secrets[0].into: either `variable` or `environment`',
    ],
    [
      'a secret at no path',
      bucket('secrets: [{name: a, from: {lease: ../x, key: k}, into: {variable: v}}]'),
      '"../x" is no path in Vault: write engine/name',
    ],
    [
      'a secret by the path of the API',
      bucket('secrets: [{name: a, from: {kv: secret/data/a, key: k}, into: {variable: v}}]'),
      'leave `data/` out, as in `vault kv get`: secret/a',
    ],
    [
      'a secret in a name that is set for each bake',
      bucket('secrets: [{name: a, from: {kv: s/a, key: k}, into: {environment: PACKER_LOG}}]'),
      'PACKER_LOG is set for each bake',
    ],
    [
      'a secret in a variable that is set',
      bucket('variables: {v: x}', 'secrets: [{name: a, from: {kv: s/a, key: k}, into: {variable: v}}]'),
      '`variables` or a parent sets `v` too',
    ],
    [
      'two secrets of one name in one place',
      bucket(
        'secrets: [{name: a, from: {kv: s/a, key: k}, into: {variable: v}}, {name: a, from: {kv: s/b, key: k}, into: {variable: v}}]',
      ),
      'another secret has the name "a" already',
    ],
    ['no target', bucket('targets: []'), 'buckets.base.targets: name at least one target'],
    [
      'a target twice',
      bucket('targets: [{provider: qemu}, {provider: qemu, region: local}]'),
      'this target is named twice',
    ],
    [
      'settings of a place that is baked in',
      bucket('targets: [{provider: azure, settings: {replicaCount: 2}}]'),
      'settings: are those of a copy: write `copy: true`',
    ],
    ['a test of no kind', bucket('tests: [{name: a}]'), 'a test has either `command` or `console`'],
    [
      'a test of both kinds',
      bucket('tests: [{name: a, command: x, console: y}]'),
      'a test has either `command` or `console`',
    ],
    ['a pattern that is none', bucket('tests: [{name: a, console: "("}]'), 'is not a regular expression: ('],
    [
      'a timeout for the console',
      bucket('tests: [{name: a, console: x, timeout: 1s}]'),
      '`timeout` belongs to a `command`',
    ],
    [
      'two tests of one name',
      bucket('tests: [{name: a, command: x}, {name: a, command: y}]'),
      'another test has the name "a" already',
    ],
    [
      'a channel of another kind',
      bucket('channels: [7]'),
      'expected a channel name, or a mapping with `name` and `gates`',
    ],
    [
      'a channel twice',
      bucket('channels: [dev, prod, dev]'),
      'buckets.base.channels[2]: `dev` is named twice',
    ],
    ['the managed channel', bucket('channels: [latest]'), '`latest` exists in every bucket'],
    [
      'an order before the first',
      bucket('channels: [{name: dev, gates: {inOrder: true}}]'),
      '`inOrder` looks at the channel before, and `dev` is the first',
    ],
    [
      'half a person',
      bucket('channels: [{name: dev, gates: {approvals: 1.5}}]'),
      'must be a whole number of people',
    ],
    [
      'a duration without a unit',
      bucket('timeLimit: 30'),
      'bakehouse.yaml:4:16: buckets.base.timeLimit: expected a duration, for example 90s',
    ],
    ['a duration in years', bucket('endOfLife: 1y'), '"1y" is not a duration'],
    ['a time limit of nothing', bucket('timeLimit: 0s'), 'buckets.base.timeLimit: must be at least 1s'],
    [
      'a bucket twice over documents',
      `${bucket()}\n---\n${bucket()}`,
      'bakehouse.yaml:6:3: buckets.base: described at 2:3 already',
    ],
  ])('%s', (_, yaml, message) => {
    expect(refusal(yaml)).toContain(message);
  });

  it('a channel that the parent beside it lacks, naming the one that was meant', () => {
    const yaml = `buckets:
  base: { template: x, channels: [dev, prod] }
  app: { template: y, parents: [{ bucket: base, channel: prd, variable: img }] }
`;

    expect(refusal(yaml)).toBe(
      'bakehouse.yaml:3:58: buckets.app.parents[0].channel: `base` has no channel `prd`; did you mean `prod`?',
    );
  });

  it('parents in a circle', () => {
    expect(
      refusal(`buckets: { aaa: ${childOf('bbb')}, bbb: ${childOf('ccc')}, ccc: ${childOf('aaa')} }`),
    ).toContain('parents form a circle: aaa ← bbb ← ccc ← aaa');
  });

  it('all of it at once, in the order of the file', () => {
    const lines = refusal(bucket('timeLimit: 1', 'sources: [x]', 'zzzz: 1')).split('\n');

    expect(lines.map((line) => line.split(':')[1])).toEqual(['4', '5', '6']);
  });

  it('aliases that would grow beyond measure', () => {
    const levels = Array.from({ length: 12 }, (_, index) => {
      const inner =
        index === 0
          ? '[x,x,x,x,x,x,x,x]'
          : `[${Array(8)
              .fill(`*l${index - 1}`)
              .join(',')}]`;
      return `l${index}: &l${index} ${inner}`;
    });

    expect(refusal(levels.join('\n'))).toContain('alias');
  });
});
