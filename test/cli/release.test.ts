import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FailureCode } from '../../src/domain/failure.ts';
import { startApi, tokens } from '../http/support/api.ts';
import type { Api } from '../http/support/api.ts';
import { project } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import { startCli } from './support/cli.ts';
import type { RunningCli } from './support/cli.ts';

const database = useDatabase();
let api: Api;
let url: string;
let cwd: string;

beforeAll(async () => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-release-'));
  api = startApi(database());
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await api.app.close();
  rmSync(cwd, { recursive: true, force: true });
});

const start = (...args: readonly string[]): RunningCli =>
  startCli(args, {
    cwd,
    env: { BAKEHOUSE_URL: url, BAKEHOUSE_TOKEN: tokens.admin, BAKEHOUSE_PROJECT: project },
  });

/** The id of the bucket's open request, as soon as the command has asked for it. */
async function accepted(bucket: string): Promise<string> {
  let id = '';
  await expect
    .poll(
      async () => {
        id = (await api.ok('listRequests', { project, bucket, state: 'open' })).requests[0]?.id ?? '';
        return id;
      },
      { timeout: 20_000 },
    )
    .not.toBe('');
  return id;
}

/** What a bake host does to the registry, up to a log line. */
async function beginBake(request: string): Promise<{ versionId: string; attemptId: string }> {
  const { bakes, logs, requests } = api.world.registry;
  const version = await bakes.openVersion(request, 1);
  const attemptId = ulid();
  await bakes.openAttempt({ attemptId, versionId: version.id, hostId: 'h', timeLimitMs: 60_000 });
  await requests.setStage(request, 1, 'packer: file.one');
  await logs.append(attemptId, 0, 'file.one: hello\n');
  return { versionId: version.id, attemptId };
}

describe('release and bake', () => {
  it('shows stages and log, and ends with the version', async () => {
    const bucket = await api.world.line();
    const command = start('bake', bucket, '--var', 'a=1=2', '--json');
    const request = await accepted(bucket);
    const { versionId, attemptId } = await beginBake(request);
    const { bakes, requests } = api.world.registry;
    await bakes.recordBuilds(attemptId, [
      {
        source: 'file.one',
        state: 'done',
        images: [{ target: { provider: 'qemu', account: 'local', region: 'here' }, imageId: 'image-1' }],
      },
    ]);
    await bakes.completeVersion(versionId, { name: 'x', via: 'system' });
    await requests.finish(request, 1, { state: 'succeeded' });

    const { code, stdout, stderr } = await command.ended;
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      request: { id: request, state: 'succeeded' },
      outcome: 'new',
      version: { name: 'v1', state: 'complete' },
    });
    expect(stderr).toContain(`request ${request}: accepted (attempt 1)`);
    expect(stderr).toContain('       | file.one: hello\n');
    expect((await api.world.registry.requests.pins(request)).variables).toMatchObject({ a: '1=2' });
  });

  it.each<[number, FailureCode]>([
    [2, 'invalid_input'],
    [3, 'bake_failed'],
    [4, 'test_failed'],
    [5, 'illegal_state'],
    [6, 'resource_exhausted'],
    [1, 'internal'],
  ])('ends with %i when the request failed with %s, and says why', async (exit, failure) => {
    const bucket = await api.world.line();
    const command = start('release', bucket, '--no-logs');
    const request = await accepted(bucket);
    await api.world.registry.requests.finish(request, 1, {
      state: 'failed',
      failure: { code: failure, message: 'because of that' },
    });

    const { code, stdout, stderr } = await command.ended;
    expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
    expect(stderr).toContain('because of that');
  });

  it('ends with 130 when it is cancelled; a repeat with the same key is the next attempt', async () => {
    const bucket = await api.world.line();
    const command = start('release', bucket, '--key', `night-${bucket}`);
    const request = await accepted(bucket);
    const cancel = await start('cancel', request, '--no-wait', '--json').ended;
    expect(JSON.parse(cancel.stdout)).toMatchObject({ cancelWanted: true });
    await api.world.registry.requests.finish(request, 1, { state: 'cancelled' });

    expect((await command.ended).code).toBe(130);
    const again = await start('release', bucket, '--key', `night-${bucket}`, '--no-wait', '--json').ended;
    expect(JSON.parse(again.stdout)).toMatchObject({
      outcome: 'next_attempt',
      request: { id: request, attempt: 2 },
      version: null,
    });
  });

  it('is left to go on when waiting is interrupted, and cancelled when that was asked for', async () => {
    const left = await api.world.line();
    const waiting = start('bake', left);
    const first = await accepted(left);
    await seen(waiting, 'accepted');
    waiting.kill('SIGINT');
    const ended = await waiting.ended;
    expect(ended.code).toBe(130);
    expect(ended.stderr).toContain(`request ${first} goes on`);
    expect(await api.ok('getRequest', { project, request: first })).toMatchObject({ cancelWanted: false });

    const ours = await api.world.line();
    const cancelling = start('bake', ours, '--cancel-on-interrupt');
    const second = await accepted(ours);
    await seen(cancelling, 'accepted');
    cancelling.kill('SIGTERM');
    await expect
      .poll(async () => (await api.ok('getRequest', { project, request: second })).cancelWanted, {
        timeout: 10_000,
      })
      .toBe(true);
    await api.world.registry.requests.finish(second, 1, { state: 'cancelled' });
    expect((await cancelling.ended).code).toBe(130);
  });
});

describe('logs', () => {
  it('prints what there is, and follows what comes until the end', async () => {
    const bucket = await api.world.line();
    const { request } = await api.ok('acceptRequest', { project, bucket, kind: 'bake' });
    const { attemptId } = await beginBake(request.id);

    const now = await start('logs', request.id).ended;
    expect(now).toMatchObject({ code: 0, stdout: 'file.one: hello\n' });
    const following = start('logs', bucket, '-f');
    await seen(following, 'hello', 'stdout');
    await api.world.registry.logs.append(attemptId, 16, 'file.one: bye\n');
    await api.world.registry.requests.finish(request.id, 1, { state: 'cancelled' });
    expect((await following.ended).stdout).toBe('file.one: hello\nfile.one: bye\n');
    expect((await start('logs', 'nothing').ended).code).toBe(2);
  });
});

async function seen(
  command: RunningCli,
  words: string,
  stream: 'stdout' | 'stderr' = 'stderr',
): Promise<void> {
  await expect.poll(() => command.printed(stream), { timeout: 20_000 }).toContain(words);
}
