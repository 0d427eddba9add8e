import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import proto from '@temporalio/proto';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { BakeRequest } from '../../src/domain/version.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import { attemptsOn, ended, expectNothingLeft, expectOneImage } from '../kill/clean-slate.ts';
import { ask, by } from '../kill/lines.ts';
import { attemptOf } from '../kill/machines.ts';
import { latestRun, pendingActivity, temporalCommand } from '../kill/temporal.ts';
import { processesNaming, until } from '../support/installation.ts';
import { installWithVault, type VaultInstallation } from './leasing-bake.ts';
import { plantedKv } from './openbao-ready.ts';

let all: VaultInstallation;

beforeAll(async () => {
  all = await installWithVault();
  await all.apply();
}, 120_000);
afterAll(() => all.stop(), 60_000);
afterEach(async () => {
  for (const point of ['validate', 'build', 'built'] as const) all.installation.packer.release(point);
  await all.expectNoCredentials();
  await expectNothingLeft(all.installation);
}, 90_000);

/** Everything that any Packer was given: none of it may be anywhere. */
const given = new Set<string>();

async function remember(request: BakeRequest): Promise<readonly string[]> {
  const told = await all.told(request);
  for (const value of told) given.add(value);
  return told;
}

/** A bake whose Packer waits with its credentials in hand. */
async function heldBake(point: 'build' | 'built'): Promise<BakeRequest> {
  const { packer } = all.installation;
  packer.hold(point);
  const request = await ask(all.installation, 'slow');
  await until('Packer waits', () => packer.reached(point), 60_000);
  return request;
}

const imageIsRecorded = (request: BakeRequest): Promise<void> =>
  until('the image is recorded', async () => {
    const { registry } = all.installation;
    const { versionId } = await registry.requests.get(request.project, request.id);
    const { builds } = await registry.versions.get(versionId ?? '');
    return builds.some(({ state }) => state === 'done');
  });

async function killAndRestart(): Promise<void> {
  const parts = [all.installation.worker, ...all.installation.hosts];
  await Promise.all(parts.map((part) => part.kill()));
  await Promise.all(parts.map((part) => part.startAgain()));
}

const logOf = async (request: BakeRequest): Promise<string> => {
  const { logs } = all.installation.registry;
  const [stream] = await logs.streams(request.id);
  return (await logs.read(stream?.stream ?? '', 0, 100_000)).text;
};

const secret = (from: { kind: 'kv' | 'lease'; path: string; key: string }) => ({
  secrets: [{ name: 'it', from, into: { kind: 'environment', name: 'IT' } as const }],
});

describe('a bake whose line names secrets', () => {
  it('has them while Packer runs, and nothing of them lives after it', async () => {
    const request = await heldBake('built');
    const [key, user, password] = await remember(request);
    expect(key).toBe(plantedKv);
    expect(await all.roles()).toEqual([user]);
    expect(password).toMatch(/.{16}/);
    expect(await all.bao.leases()).toHaveLength(1);
    // Packer's environment holds what it was given on purpose; no argument of any process does.
    const holding = [key, user, password].flatMap((text) => processesNaming(text ?? ''));
    for (const { command } of holding) for (const text of given) expect(command).not.toContain(text);

    all.installation.packer.release('built');
    await expectOneImage(all.installation, await ended(all.installation, request));
    expect(await logOf(request)).toContain('the key is ***, the user ***, the password ***');
  }, 120_000);

  it('that fails leaves none', async () => {
    await all.apply({ variables: { fails: 'true' } });
    const request = await ask(all.installation, 'slow');
    expect(await ended(all.installation, request)).toMatchObject({ state: 'failed' });
    expect(await remember(request)).toHaveLength(3);
    await all.apply();
  }, 120_000);

  it('that is cancelled leaves none', async () => {
    const request = await heldBake('built');
    await remember(request);
    await all.installation.registry.requests.cancel(request.project, request.id, by);
    expect(await ended(all.installation, request)).toMatchObject({ state: 'cancelled' });
  }, 120_000);

  it('goes on with the same ones after kill -9 of worker and bake host, and ends them', async () => {
    const request = await heldBake('built');
    const [, user] = await remember(request);
    await killAndRestart();
    expect(await all.roles()).toEqual([user]);
    all.installation.packer.release('built');
    await expectOneImage(all.installation, await ended(all.installation, request));
  }, 120_000);

  it('goes on with the same ones when its workflow is reset, and ends them', async () => {
    const request = await heldBake('built');
    const { workflowId } = request;
    const [, user] = await remember(request);
    await pendingActivity(all.installation, workflowId, 'runPacker');
    const open = async () =>
      (await all.installation.registry.ledger.listOpen())
        .filter(({ kind }) => kind === 'credential')
        .map(({ mark }) => mark);
    const before = await open();
    expect(before).toHaveLength(2);
    const runId = await latestRun(all.installation, workflowId);
    const run = ['--workflow-id', workflowId, '--run-id', runId];
    const how = ['--type', 'FirstWorkflowTask', '--reason', 'a person wants to'];
    await temporalCommand(all.installation, 'workflow', 'reset', ...run, ...how);
    expect(await latestRun(all.installation, workflowId)).not.toBe(runId);
    // Its template was checked again, if ever, by now.
    await pendingActivity(all.installation, workflowId, 'runPacker');
    expect(await all.roles()).toEqual([user]);
    expect(await open()).toEqual(before);
    all.installation.packer.release('built');
    await expectOneImage(all.installation, await ended(all.installation, request));
  }, 120_000);

  it('is finished when the target database of its lease is back, not failed because it was away', async () => {
    const request = await heldBake('built');
    await remember(request);
    await all.bao.databaseIs('away');
    try {
      all.installation.packer.release('built');
      await imageIsRecorded(request);
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      const { registry } = all.installation;
      expect(await registry.requests.get(request.project, request.id)).toMatchObject({ state: 'open' });
    } finally {
      await all.bao.databaseIs('there');
    }
    await expectOneImage(all.installation, await ended(all.installation, request));
  }, 120_000);

  it.each(['token', 'lease'] as const)(
    'is given new ones when its host was killed between the making of a %s and its record',
    async (kind) => {
      const { database, hosts } = all.installation;
      const holder = await database.connect();
      // The check records a token too, and ends it: the first lease comes after the second token.
      await holder.query(`create or replace function hold_record() returns trigger language plpgsql as $$
        begin
          if new.mark like '${kind} %' then perform pg_advisory_xact_lock(4711); end if;
          return new;
        end $$`);
      await holder.query(
        'create trigger hold_record before insert on ledger for each row execute function hold_record()',
      );
      await holder.query('select pg_advisory_lock(4711)');
      const request = await ask(all.installation, 'slow');
      const waiting = async () =>
        (
          await holder.query<{ pid: number }>(
            "select pid from pg_locks where locktype = 'advisory' and objid = 4711 and not granted",
          )
        ).rows;
      await until('the record waits', async () => (await waiting()).length > 0, 60_000);
      expect(await all.bao.leases()).toHaveLength(kind === 'lease' ? 1 : 0);

      await Promise.all(hosts.map((host) => host.kill()));
      // Its connection would write the record yet.
      for (const { pid } of await waiting()) await holder.query('select pg_terminate_backend($1)', [pid]);
      await holder.query('drop trigger hold_record on ledger');
      await holder.query('select pg_advisory_unlock(4711)');
      await Promise.all(hosts.map((host) => host.startAgain()));

      await expectOneImage(all.installation, await ended(all.installation, request));
      await remember(request);
    },
    120_000,
  );

  it('waits for a Vault that is sealed before it, and for one that is sealed while Packer runs', async () => {
    await all.bao.seal();
    const request = await ask(all.installation, 'slow');
    const { id: attemptId } = await attemptOf(all.installation, request);
    const { registry, packer } = all.installation;
    const builds = packer.builds();
    await until('the check was tried', () =>
      attemptsOn(all.installation, first(all.installation.hosts)).includes(attemptId),
    );
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(packer.builds()).toBe(builds);
    packer.hold('built');
    await all.bao.unseal();
    await until('Packer waits', () => packer.reached('built'), 60_000);
    await remember(request);

    await all.bao.seal();
    packer.release('built');
    await imageIsRecorded(request);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await registry.requests.get(request.project, request.id)).toMatchObject({ state: 'open' });
    await all.bao.unseal();
    await expectOneImage(all.installation, await ended(all.installation, request));
  }, 180_000);

  it('is refused before Packer starts when Vault does not give its time, its path or its key', async () => {
    const { packer } = all.installation;
    const builds = packer.builds();
    const cases = [
      [{ timeLimitMs: 5 * 3_600_000 }, 'illegal_state', /must last 18\d{3} s .* and Vault gives 14400 s/],
      [
        secret({ kind: 'kv', path: 'secret/bake/none', key: 'key' }),
        'invalid_input',
        /no secret secret\/bake\/none/,
      ],
      [
        secret({ kind: 'kv', path: 'secret/bake/signing', key: 'kye' }),
        'invalid_input',
        /has no key kye; it has key, other/,
      ],
      [
        secret({ kind: 'kv', path: 'secret/private/x', key: 'a' }),
        'provider_credentials',
        /lacks "read" on secret\/data\/private\/x/,
      ],
    ] as const;
    for (const [change, code, message] of cases) {
      await all.apply(change);
      const request = await ended(all.installation, await ask(all.installation, 'slow'));
      expect(request.failure).toEqual({ code, message: expect.stringMatching(message) });
      expect(await logOf(request)).toMatch(message);
    }
    expect(packer.builds()).toBe(builds);
    await all.apply();
  }, 180_000);
});

describe('what Packer was given', () => {
  it('is nowhere: no history, no row, no log, no file', async () => {
    const texts = [...given];
    expect(texts.length).toBeGreaterThan(8);
    const holds = (content: Uint8Array | string) => {
      const bytes = Buffer.from(content);
      return texts.some((text) =>
        [
          text,
          Buffer.from(text).toString('hex'),
          Buffer.from(text).toString('base64').replace(/=+$/, ''),
        ].some((form) => bytes.includes(form)),
      );
    };
    const { temporal: server, database, folder } = all.installation;
    const temporal = openTemporal({ address: server.address, namespace: 'default', deadlineMs: 10_000 });
    let histories = 0;
    try {
      for await (const { workflowId, runId } of temporal.client.workflow.list()) {
        const history = await temporal.client.workflow.getHandle(workflowId, runId).fetchHistory();
        expect(holds(proto.temporal.api.history.v1.History.encode(history).finish()), workflowId).toBe(false);
        histories++;
      }
    } finally {
      await temporal.close();
    }
    expect(histories).toBeGreaterThan(8);
    const { db } = database.store;
    const tables = await sql<{ name: string }>`
      select table_name as name from information_schema.tables where table_schema = 'public'`.execute(db);
    for (const { name } of tables.rows) {
      const { rows } = await sql<{ row: string }>`select t::text as row from ${sql.table(name)} t`.execute(
        db,
      );
      for (const { row } of rows) expect(holds(row), name).toBe(false);
    }
    const { rows: chunks } = await sql<{ content: Uint8Array }>`select content from log_chunk`.execute(db);
    for (const { content } of chunks) expect(holds(content)).toBe(false);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name));
    expect(files.filter((file) => file.endsWith('.log')).length).toBeGreaterThanOrEqual(3);
    // Temporal's own database is where its histories are.
    for (const file of files) expect(holds(readFileSync(file)), file).toBe(false);
  }, 60_000);
});

function first<T>([one]: readonly T[]): T {
  if (one === undefined) throw new Error('there is none');
  return one;
}
