import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCliFile } from '../../src/config/cli-connection.ts';
import { startApi, tokens } from '../http/support/api.ts';
import type { Api } from '../http/support/api.ts';
import { project } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import { freePort } from '../support/temporal-server.ts';
import { launcher, startCli } from './support/cli.ts';
import type { Ran } from './support/cli.ts';

const database = useDatabase();
let api: Api;
let url: string;
let cwd: string;

beforeAll(async () => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-commands-'));
  api = startApi(database());
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await api.app.close();
  rmSync(cwd, { recursive: true, force: true });
});

const environment = () => ({ BAKEHOUSE_URL: url, BAKEHOUSE_TOKEN: tokens.admin, BAKEHOUSE_PROJECT: project });

const run = (args: readonly string[], env: Readonly<Record<string, string>> = environment()): Promise<Ran> =>
  startCli(args, { cwd, env }).ended;

async function json(args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await run([...args, '--json']);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

describe('reading', () => {
  it('shows what others wrote without what moves a cursor, sets a title or turns the reading round', async () => {
    const { bucket, version } = await api.world.lineWithVersion();
    const reason = 'first\u001B]0;title\u0007 \u001B[2Jse\u202Econd\r\u001B[31mred';
    await api.ok('revokeVersion', { project, bucket, version: version.id, reason, inMs: 3_600_000 });

    const { stdout, stderr } = await run(['versions', bucket, 'v1']);
    expect(stdout, stderr).toContain('first]0;title [2Jsecond\u001B[31mred\n');
    expect(await json(['versions', bucket, 'v1'])).toMatchObject({ revocation: { reason } });
  });

  it('resolve prints a table, the ids alone, or what the API answers', async () => {
    const { bucket, version } = await api.world.lineWithVersion();
    const imageId = version.builds[0]?.artifacts[0]?.image.imageId ?? '';

    const table = await run(['resolve', bucket, 'prod']);
    expect(table).toMatchObject({ code: 0, stderr: '' });
    expect(table.stdout).toMatch(new RegExp(`^VERSION .*\nv1 +qemu +local +here +${imageId}`));
    const quiet = await run(['resolve', bucket, 'prod', '-q']);
    expect(quiet).toEqual({ code: 0, stdout: `${imageId}\n`, stderr: '' });
    const direct = await api.ok('resolveChannel', { project, bucket, channel: 'prod' });
    expect(await json(['resolve', bucket, 'prod'])).toEqual(direct);
  });

  it('versions, channels, buckets, requests, promotions, events, receipts, hosts, outbox answer what the API answers', async () => {
    const { bucket } = await api.world.lineWithVersion();
    const named = { project, bucket };

    const pairs: readonly (readonly [readonly string[], Promise<unknown>])[] = [
      [['versions', bucket], api.ok('listVersions', { ...named, limit: 20 })],
      [['versions', bucket, 'v1'], api.ok('getVersion', { ...named, version: 'v1' })],
      [['channels', bucket], api.ok('listChannels', named)],
      [
        ['channels', bucket, 'prod', '--history'],
        api.ok('getChannelHistory', { ...named, channel: 'prod', limit: 20 }),
      ],
      [['buckets'], api.ok('listBuckets', { project })],
      [['requests', '--bucket', bucket], api.ok('listRequests', { ...named, limit: 20 })],
      [['promotions', '--bucket', bucket], Promise.resolve({ promotions: [] })],
      [['events', '--bucket', bucket, '--version', 'v1'], api.ok('listEvents', { ...named, version: 'v1' })],
      [['receipts', '--bucket', bucket], Promise.resolve({ receipts: [] })],
      [['hosts'], Promise.resolve({ hosts: [], now: expect.any(String) })],
      [['outbox'], api.ok('getOutbox', {}).then((outbox) => ({ ...outbox, now: expect.any(String) }))],
    ];
    await Promise.all(
      pairs.map(async ([args, wanted]) => expect(await json(args), args.join(' ')).toEqual(await wanted)),
    );
  });

  it('prints tables for people, without colours where there is no terminal', async () => {
    const { bucket } = await api.world.lineWithVersion();

    const commands = [['versions', bucket], ['versions', bucket, 'v1'], ['channels', bucket], ['buckets']];
    for (const { code, stdout } of await Promise.all(commands.map((args) => run(args)))) {
      expect(code).toBe(0);
      expect(stdout).toContain('v1');
      expect(stdout).not.toContain('\u001b[');
    }
  });
});

describe('changing', () => {
  it('assign, rollback, revoke, lift, restore, each seen by the next reader', async () => {
    const { bucket } = await api.world.lineWithVersion();
    await api.world.bake(bucket);

    expect(await json(['assign', bucket, 'prod', 'v2'])).toMatchObject({ effective: { versionName: 'v2' } });
    expect(await json(['rollback', bucket, 'prod', '--reason', 'panics'])).toMatchObject({
      effective: { versionName: 'v1' },
    });
    const revoked = await json([
      'revoke',
      bucket,
      'v1',
      '--in',
      '30d',
      '--reason',
      'old',
      '--no-descendants',
    ]);
    expect(revoked).toMatchObject({
      record: { reason: 'old', descendants: false, rollBack: true },
      version: { revocation: { state: 'scheduled' } },
    });
    expect(await json(['reschedule', bucket, 'v1', '--at', '2099-01-01T00:00:00+01:00'])).toMatchObject({
      dueAt: '2098-12-31T23:00:00.000Z',
    });
    expect(await json(['lift', bucket, 'v1', '--reason', 'mistake'])).toMatchObject({
      liftedAt: expect.any(String),
    });
    expect(await json(['revoke', bucket, 'v1', '--reason', 'a hole', '--no-roll-back'])).toMatchObject({
      version: { revocation: { state: 'revoked' } },
    });
    const refused = await run(['resolve', bucket, 'prod', '-q']);
    expect(refused).toMatchObject({ code: 5, stdout: '' });
    expect(refused.stderr).toContain('a hole');
    expect(await json(['revocations', bucket, 'v1'])).toMatchObject({ records: [{}, {}] });
    expect(await json(['restore', bucket, 'v1', '--reason', 'false alarm'])).toMatchObject({
      revocation: { state: 'none' },
    });
  });

  it('promote waits for its end, and approve and reject are heard meanwhile', async () => {
    const bucket = await api.world.line({
      channels: { dev: {}, prod: { approvals: 2, approvalDeadlineMs: 60_000 } },
    });
    await api.world.bake(bucket);

    const asked = await json(['promote', bucket, 'v1', 'prod', '--no-wait', '--reason', 'go']);
    expect(asked).toMatchObject({ state: 'waiting', reason: 'go' });
    const { promotions } = await api.ok('listPromotions', { project, bucket });
    const id = promotions[0]?.id ?? '';
    expect(await json(['approve', id])).toMatchObject({ approvals: [{ by: 'admin' }] });

    const waiting = startCli(['promote', bucket, 'v1', 'prod'], { cwd, env: environment() });
    await expect
      .poll(async () => (await api.ok('listPromotions', { project, bucket, state: 'waiting' })).promotions, {
        timeout: 10_000,
      })
      .not.toMatchObject([{ id }]);
    const [newer] = (await api.ok('listPromotions', { project, bucket, state: 'waiting' })).promotions;
    expect(await json(['reject', newer?.id ?? '', '--reason', 'freeze'])).toMatchObject({
      state: 'rejected',
    });
    const ended = await waiting.ended;
    expect(ended.code).toBe(5);
    expect(ended.stderr).toContain('freeze');
  });

  it('apply shows the difference, changes nothing on a dry run, and is repeatable', async () => {
    mkdirSync(path.join(cwd, 'templates'), { recursive: true });
    writeFileSync(path.join(cwd, 'templates/main.pkr.hcl'), 'source "file" "one" {}');
    writeFileSync(
      path.join(cwd, 'bakehouse.yaml'),
      `buckets:
  first: { template: templates, channels: [dev, { name: prod, gates: { tested: true, inOrder: true } }] }
  second: { template: templates, parents: [{ bucket: first, channel: prod, variable: parent_image }] }
`,
    );

    const dry = await run(['apply', '--dry-run']);
    expect(dry.code).toBe(0);
    expect(dry.stdout).toContain('+ first: create');
    expect(await run(['versions', 'first'])).toMatchObject({ code: 2 });
    const applied = await run(['apply']);
    expect(applied.stderr).toBe('');
    expect(applied.stdout).toMatch(/\+ first: create[\s\S]*\+ second: create[\s\S]*Applied\.\n$/);
    expect(await json(['apply'])).toMatchObject([
      {
        project,
        changes: [
          { bucket: 'first', action: 'none' },
          { bucket: 'second', action: 'none' },
        ],
      },
    ]);
    writeFileSync(
      path.join(cwd, 'bakehouse.yaml'),
      'buckets: { first: { template: templates, chanels: [] } }',
    );
    const wrong = await run(['apply']);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain(
      'bakehouse.yaml:1:42: buckets.first.chanels: unknown key `chanels`; did you mean',
    );
  });
});

describe('exit codes', () => {
  it.each<[number, string, readonly string[], string]>([
    [2, 'an unknown bucket', ['versions', 'nothing'], 'Bucket "nothing" does not exist'],
    [2, 'an unknown command', ['relase', 'base'], 'Did you mean release?'],
    [2, 'an unknown option', ['versions', 'base', '--lmit', '1'], 'Did you mean --limit?'],
    [2, 'a missing argument', ['resolve', 'base'], "missing required argument 'channel'"],
    [2, 'a missing reason', ['revoke', 'base', 'v1'], '--reason is missing'],
    [2, 'two dates', ['revoke', 'b', 'v1', '--reason', 'x', '--in', '1d', '--at', 'y'], 'not both'],
    [2, 'a date without offset', ['reschedule', 'b', 'v1', '--at', '2099-01-01T00:00:00'], 'time zone'],
    [
      2,
      'a duration that is none',
      ['revoke', 'b', 'v1', '--reason', 'x', '--in', 'soon'],
      'is not a duration',
    ],
    [2, 'a variable without a value', ['bake', 'b', '--var', 'x'], 'write name=value'],
    [2, 'a count that is none', ['versions', 'b', '--limit', 'many'], 'is not a whole number'],
  ])('%i for %s', async (code, _, args, message) => {
    const ran = await run(args);

    expect(ran.stderr).toContain(message);
    expect(ran).toMatchObject({ code, stdout: '' });
  });

  it('5 without a valid token, 6 without a server, 2 when no server is known', async () => {
    expect(await run(['hosts'], { ...environment(), BAKEHOUSE_TOKEN: 'nobody' })).toMatchObject({ code: 5 });
    const away = { ...environment(), BAKEHOUSE_URL: `http://127.0.0.1:${await freePort()}` };
    expect(await run(['hosts'], away)).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await run(['health'], away)).toMatchObject({ code: 6 });
    const unknown = await run(['hosts'], {});
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('bakehouse up') });
  });

  it('tell in JSON what the API tells, on stderr', async () => {
    const { code, stdout, stderr } = await run(['versions', 'nothing', '--json']);

    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({
      code: 5,
      details: [{ reason: 'not_found', domain: 'bakehouse' }],
    });
  });
});

describe('the launcher and the connection', () => {
  it('runs from any folder, through a link, with what `up` left there', async () => {
    const { bucket } = await api.world.lineWithVersion();
    writeCliFile(path.join(cwd, '.bakehouse'), { url, token: tokens.admin });
    const link = path.join(cwd, 'bh');
    symlinkSync(launcher, link);
    symlinkSync('bh', path.join(cwd, 'bh2'));

    const direct = await run(['resolve', bucket, 'prod', '--project', project], {});
    expect(direct).toMatchObject({ code: 0, stderr: '' });
    const { execFile } = await import('node:child_process');
    const linked = await new Promise<string>((resolve, reject) => {
      execFile(path.join(cwd, 'bh2'), ['-V'], { env: { PATH: '/usr/bin:/bin' } }, (error, stdout) =>
        error === null ? resolve(stdout) : reject(error),
      );
    });
    expect(linked).toBe('0.1.0\n');
  });

  it('env prints what another shell needs', async () => {
    const { stdout } = await run(['env'], { ...environment(), BAKEHOUSE_TOKEN: "it's" });

    expect(stdout).toBe(
      `export BAKEHOUSE_URL='${url}'\nexport BAKEHOUSE_TOKEN='it'\\''s'\nexport BAKEHOUSE_PROJECT='${project}'\n`,
    );
    expect(await run(['health'])).toMatchObject({ code: 0, stdout: 'ready\n' });
  });

  it('gives a key to the jobs of a pipeline, so that a retry is the same request', async () => {
    const bucket = await api.world.line();
    const job = { ...environment(), GITLAB_CI: 'true', CI_PIPELINE_ID: ulid(), CI_PROJECT_ID: '7' };
    const ask = ['bake', bucket, '--no-wait', '--json'];

    const first = await run(ask, job);
    const retried = await run(ask, job);
    expect(JSON.parse(first.stdout)).toMatchObject({
      outcome: 'new',
      request: { key: `gitlab/7/${job.CI_PIPELINE_ID}/bake/${bucket}` },
    });
    expect(JSON.parse(retried.stdout)).toMatchObject({ outcome: 'existing' });
  });
});
