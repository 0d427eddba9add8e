import { describe, expect, it } from 'vitest';
import type { ImageLine } from '../../src/domain/image-line.ts';
import { openGates } from '../../src/domain/image-line.ts';
import { templateDigest } from '../../src/domain/template-digest.ts';
import { useDatabase } from '../support/database.ts';
import { ann, createWorld, home, project, refusal } from './support/world.ts';

const database = useDatabase();

const files = {
  'a.pkr.hcl': new TextEncoder().encode('source "file" "a" {}'),
  'b/ü.txt': new Uint8Array([0, 255]),
};
const digest = await templateDigest(files);

function aLine(bucket: string, over: Partial<ImageLine> = {}): ImageLine {
  return {
    bucket,
    description: 'a line',
    template: { kind: 'folder', path: 'images', entry: 'a.pkr.hcl', digest },
    sources: [],
    variables: { size: 'small' },
    parents: [],
    targets: [{ ...home, launch: {} }],
    tests: [],
    channels: [
      { name: 'dev', gates: openGates },
      { name: 'prod', gates: { ...openGates, tested: true } },
    ],
    timeLimitMs: 60_000,
    endOfLifeCascades: false,
    ...over,
  };
}

async function lines() {
  const { registry } = createWorld(database());
  await registry.lines.putTemplate({ digest, files });
  return registry.lines;
}

const positions = async (bucket: string) =>
  (await createWorld(database()).registry.channels.list(project, bucket)).map(({ name, position }) => [
    name,
    position,
  ]);

describe('templates', () => {
  it('are kept by their digest, once, byte for byte', async () => {
    const kept = await lines();
    await kept.putTemplate({ digest, files });

    expect(await kept.hasTemplate(digest)).toBe(true);
    expect((await kept.getTemplate(digest)).files).toEqual(files);
  });

  it('are refused under a digest that is not theirs', async () => {
    const kept = await lines();
    const wrong = `sha256:${'0'.repeat(64)}`;

    expect(await refusal('invalid_input', kept.putTemplate({ digest: wrong, files }))).toContain(digest);
    expect(await kept.hasTemplate(wrong)).toBe(false);
    expect(await refusal('not_found', kept.getTemplate(wrong))).toContain(wrong);
  });
});

describe('apply', () => {
  it('makes the bucket with its channels in order and latest, as the plan said', async () => {
    const kept = await lines();
    const line = aLine('first-line');

    const plan = await kept.plan(project, [line]);
    expect(await refusal('not_found', kept.get(project, 'first-line'))).toContain('first-line');
    const done = await kept.apply(project, [line], ann);

    expect(done).toEqual(plan);
    expect(done).toEqual([
      {
        bucket: 'first-line',
        action: 'create',
        differences: ['bucket: + first-line', 'channels: + dev', 'channels: + prod'],
      },
    ]);
    expect(await kept.get(project, 'first-line')).toMatchObject({
      line,
      latestNumber: 0,
      description: 'a line',
    });
    expect(await positions('first-line')).toEqual([
      ['dev', 0],
      ['prod', 1],
      ['latest', null],
    ]);
  });

  it('changes nothing and writes no event when nothing differs, also in another key order', async () => {
    const kept = await lines();
    const { events } = createWorld(database()).registry;
    const line = aLine('calm-line', { variables: { b: '2', a: '1' } });
    await kept.apply(project, [line], ann);
    const { template, ...rest } = line;

    const again = await kept.apply(project, [{ ...rest, variables: { a: '1', b: '2' }, template }], ann);

    expect(again).toEqual([{ bucket: 'calm-line', action: 'none', differences: [] }]);
    expect(await events.list(project, { bucket: 'calm-line' })).toHaveLength(1);
  });

  it('tells each difference in a line and never the value of a variable', async () => {
    const kept = await lines();
    await kept.apply(project, [aLine('changing-line')], ann);

    const [change] = await kept.apply(
      project,
      [
        aLine('changing-line', {
          variables: { size: 'a-secret-size', extra: 'x' },
          timeLimitMs: 120_000,
          endOfLifeMs: 1000,
          channels: [
            { name: 'prod', gates: openGates },
            { name: 'test', gates: openGates },
          ],
        }),
      ],
      ann,
    );

    expect(change?.action).toBe('change');
    expect(change?.differences).toEqual([
      'timeLimitMs: 60000 → 120000',
      'endOfLifeMs: none → 1000',
      'variables: + extra',
      'variables: ~ size',
      'channels: ~ prod',
      'channels: + test',
      'channels: - dev (no longer in the promotion path; the channel keeps its version, and resolves)',
    ]);
    expect(JSON.stringify(change)).not.toContain('a-secret-size');
  });

  it('keeps a channel that the line no longer names, with its history and without its place', async () => {
    const world = createWorld(database());
    const kept = await lines();
    const { bucket, version } = await world.lineWithVersion();
    const { line } = await kept.get(project, bucket);
    if (line === null) throw new Error('The bucket has a line.');

    await kept.apply(project, [{ ...line, channels: [{ name: 'prod', gates: openGates }] }], ann);

    expect(await positions(bucket)).toEqual([
      ['prod', 0],
      ['dev', null],
      ['latest', null],
    ]);
    expect(await world.effective(bucket, 'dev')).toBe(version.name);
  });

  it('takes a parent that is described beside it, and refuses one that nobody knows, changing nothing', async () => {
    const kept = await lines();
    const parents = [{ bucket: 'the-parent', channel: 'prod', variable: 'base' }];

    const alone = kept.apply(project, [aLine('the-child', { parents })], ann);

    expect(await refusal('invalid_input', alone)).toMatch(
      /"the-child" names the parent "the-parent".*Describe/,
    );
    expect(await refusal('not_found', kept.get(project, 'the-child'))).toContain('the-child');
    await kept.apply(project, [aLine('the-child', { parents }), aLine('the-parent')], ann);
    const other = [{ bucket: 'the-parent', channel: 'stage', variable: 'base' }];
    const wrong = kept.plan(project, [aLine('the-child', { parents: other })]);
    expect(await refusal('invalid_input', wrong)).toMatch(
      /"stage" of "the-parent", which has dev, prod, latest/,
    );
  });

  it.each([
    ['https://ci:hunter2@example.test/r.git', 'hunter2'],
    ['https://ghp_hunter2@example.test/r.git', 'hunter2'],
    ['ssh://git:hunter2@example.test/r.git', 'hunter2'],
  ])('refuses a credential in the URL %s, and does not say it again', async (repository, secret) => {
    const kept = await lines();
    const template = { kind: 'git' as const, repository, ref: 'main', entry: '.' };
    const said = await refusal(
      'invalid_input',
      kept.apply(project, [aLine('with-a-secret', { template })], ann),
    );
    expect(said).toContain('Bucket "with-a-secret": the URL of its git repository holds a user or password');
    expect(said).not.toContain(secret);
  });

  it.each(['git@example.test:a/r.git', 'ssh://git@example.test/r.git', 'https://example.test/@a/r.git'])(
    'takes the URL %s',
    async (repository) => {
      const kept = await lines();
      const template = { kind: 'git' as const, repository, ref: 'main', entry: '.' };
      await kept.plan(project, [aLine('without-a-secret', { template })]);
    },
  );

  it('refuses a template that was not uploaded, a doubled bucket, the name latest, a bad name', async () => {
    const kept = await lines();
    const missing = `sha256:${'1'.repeat(64)}`;
    const template = { kind: 'folder' as const, path: 'images', entry: '.', digest: missing };
    const apply = (...all: ImageLine[]) => refusal('invalid_input', kept.apply(project, all, ann));

    expect(await apply(aLine('bad-line', { template }))).toContain(missing);
    expect(await apply(aLine('bad-line'), aLine('bad-line'))).toContain('described twice');
    expect(await apply(aLine('bad-line', { channels: [{ name: 'latest', gates: openGates }] }))).toContain(
      'latest',
    );
    expect(await apply(aLine('no'))).toContain('3 to 36');
    expect(await refusal('not_found', kept.get(project, 'bad-line'))).toContain('bad-line');
  });

  it('of the same new lines by many at the same instant makes each once', async () => {
    const kept = await lines();
    const all = ['race-a', 'race-b', 'race-c'].map((name) => aLine(name));

    const done = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        kept.apply('a-new-project', index % 2 === 0 ? all : all.toReversed(), ann),
      ),
    );

    expect(done.flat().filter(({ action }) => action === 'create')).toHaveLength(3);
    expect((await kept.list('a-new-project')).map(({ bucket }) => bucket)).toEqual([
      'race-a',
      'race-b',
      'race-c',
    ]);
    expect(await kept.list('an-unknown-project')).toEqual([]);
  });
});
