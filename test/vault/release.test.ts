/** Whole releases with secrets of a real OpenBao: asked for at the server, by a client, for lines as bakehouse.yaml has them. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BakeRequest } from '../../src/domain/version.ts';
import { expectNothingLeft, expectOneImage } from '../kill/clean-slate.ts';
import { project } from '../kill/lines.ts';
import { until } from '../support/installation.ts';
import { known, openReleasing, planted, type Releasing } from './releasing.ts';
import {
  familyOf,
  inDatabase,
  inFiles,
  inHistories,
  processes,
  searchFor,
  watchCommands,
} from './searching.ts';

let all: Releasing;
let commands: ReturnType<typeof watchCommands>;

beforeAll(async () => {
  all = await openReleasing();
  commands = watchCommands();
}, 120_000);
afterAll(async () => {
  commands.stop();
  await all.stop();
}, 60_000);
afterEach(async () => {
  all.openGate();
  all.installation.packer.release('validate');
  await all.expectNothingLeased();
  await expectNothingLeft(all.installation);
}, 90_000);

/** A release whose Packer runs and has its credentials in hand: a lease and a token are there, and an account in PostgreSQL. */
async function held(bucket: string = known): Promise<BakeRequest> {
  all.closeGate();
  const request = await all.release(bucket);
  const [key, user, password] = await all.told(request);
  expect([key, user, password]).toEqual([
    planted[1],
    expect.stringMatching(/^v-/),
    expect.stringMatching(/.{16}/),
  ]);
  expect(await all.bao.leases()).toHaveLength(1);
  expect(await all.tokens()).toHaveLength(1);
  return request;
}

const secret = () => searchFor([...all.given]);
const open = searchFor([known]);

async function expectOnProd(request: BakeRequest): Promise<void> {
  const version = await expectOneImage(all.installation, await all.ended(request));
  const { client } = all.installation;
  const { effective } = await client.getChannel({ project, bucket: request.bucket, channel: 'prod' });
  expect(effective.versionId).toBe(version.id);
}

/** Until the request says so, and for so long after; then Vault is unsealed. */
async function sealed(request: BakeRequest, seconds: number): Promise<void> {
  const waits = /^waiting: cannot .*Vault is sealed.*; unseal it and the work goes on$/;
  await until(
    'the request says that Vault is sealed',
    async () => waits.test(await all.stage(request)),
    60_000,
  );
  await sleep(seconds * 1_000);
  expect(await all.stage(request)).toMatch(waits);
  expect((await all.installation.registry.requests.get(project, request.id)).state).toBe('open');
  await all.bao.unseal();
}

describe('a release that is given secrets', () => {
  it('succeeds; while Packer runs no process but its own has them', async () => {
    const request = await held();
    const there = processes();
    const packers = familyOf(there, ({ command }) => /packer\S* build /.test(command));
    expect(there.filter(({ command }) => secret().holds(command))).toEqual([]);
    const holding = there.filter(({ environment }) => secret().holds(environment)).map(({ pid }) => pid);
    // It has what goes `into` its environment; that the search sees it there is the proof of the rest.
    expect(holding).not.toEqual([]);
    expect(holding.filter((pid) => !packers.has(pid))).toEqual([]);

    const { server, worker, hosts } = all.installation;
    const parts = [server, worker, ...hosts].map(({ pid }) => pid);
    const withOpen = there.filter(({ environment }) => open.holds(environment)).map(({ pid }) => pid);
    expect(withOpen).toEqual(expect.arrayContaining(parts));
    all.openGate();
    await expectOnProd(request);
  }, 200_000);

  it('fails in its template, and says so without them', async () => {
    const request = await all.release('failing');
    await all.told(request);
    const ended = await all.ended(request);
    expect(ended).toMatchObject({ state: 'failed', failure: { code: 'bake_failed' } });
    expect(ended.failure?.message).toContain('***');
  }, 200_000);

  it('is cancelled while Packer runs', async () => {
    const request = await held();
    await all.cancel(request);
    expect(await all.ended(request)).toMatchObject({ state: 'cancelled' });
  }, 200_000);

  it('goes on after kill -9 of worker and bake host while Packer runs', async () => {
    const request = await held();
    const { worker, hosts } = all.installation;
    const leases = await all.bao.leases();
    const builds = all.installation.packer.builds();
    await Promise.all([worker, ...hosts].map((part) => part.kill()));
    await Promise.all([worker, ...hosts].map((part) => part.startAgain()));
    expect(await all.bao.leases()).toEqual(leases);
    all.openGate();
    await expectOnProd(request);
    expect(all.installation.packer.builds()).toBe(builds);
  }, 200_000);
});

describe('a Vault that is sealed', () => {
  it('is waited for, and the release says so: before the check, before the issue, and for a minute after', async () => {
    const { packer } = all.installation;
    const builds = packer.builds();
    all.closeGate();
    packer.hold('validate');
    await all.bao.seal();
    const request = await all.release(known);
    await sealed(request, 3);

    await until(
      'the check has passed, Packer looks at the template',
      () => packer.reached('validate'),
      60_000,
    );
    await all.bao.seal();
    packer.release('validate');
    await sealed(request, 3);
    expect(packer.builds()).toBe(builds);

    await all.told(request);
    await all.bao.seal();
    all.openGate();
    await sealed(request, 60);
    await expectOnProd(request);
    expect(packer.builds()).toBe(builds + 1);
  }, 400_000);
});

/** After all of them: what succeeded, failed, was cancelled, killed and sealed. */
describe('what Packer was given', () => {
  it('is in no history and in nothing else that Temporal keeps', async () => {
    expect(await inHistories(all.installation, secret())).toEqual([]);
    expect(await inHistories(all.installation, open)).toEqual(
      expect.arrayContaining(['history of release', 'history of bake', 'description of release']),
    );
    const [, file = ''] = /--db-filename[ =](\S+)/.exec(commandOf(all.installation.temporal.pid)) ?? [];
    expect(inFiles(path.dirname(file), secret())).toEqual([]);
    expect(inFiles(path.dirname(file), open)).toContain('temporal.db');
  }, 60_000);

  it('is in no row of the database, and not in the log store', async () => {
    expect(await inDatabase(all.installation, secret())).toEqual([]);
    // Said aloud beside the secrets, plain and as base64.
    expect(await inDatabase(all.installation, open)).toEqual(
      expect.arrayContaining(['table request', 'table event', 'table log_chunk', 'log store']),
    );
  }, 60_000);

  it('is in no answer of the command line', async () => {
    const { requests } = await all.installation.client.listRequests({ project });
    expect(requests).toHaveLength(5);
    const asked = [
      ['requests'],
      ...requests.flatMap(({ id }) => [
        ['logs', id],
        ['requests', id, '--json'],
      ]),
    ];
    for (const command of asked) {
      const { code, stdout, stderr } = await all.run(...command);
      expect(code, stderr).toBe(0);
      expect(secret().holds(`${stdout}${stderr}`), command.join(' ')).toBe(false);
      if (command[0] === 'logs') expect(stdout).toContain('the user is ***, the password ***');
    }
  }, 60_000);

  it('is in no log and no file that is left, the images included', async () => {
    const { folder, images, registry } = all.installation;
    const decoy = path.join(images, 'left-over.json');
    writeFileSync(decoy, JSON.stringify({ token: Buffer.from(`user:${known}`).toString('base64') }));
    const found = inFiles(folder, open);
    rmSync(decoy);
    expect(found).toContain(path.relative(folder, decoy));
    const [host] = await registry.hosts.list();
    expect(inFiles(folder, searchFor([host?.id ?? 'none']))).toContain('bake-host-1.log');
    expect(inFiles(folder, secret())).toEqual([]);
  }, 60_000);

  it('was on no command line at any moment', () => {
    const lines = [...commands.stop()];
    expect(lines.filter((line) => secret().holds(line))).toEqual([]);
    expect(lines.filter((line) => open.holds(line))).not.toEqual([]);
  });
});

const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
