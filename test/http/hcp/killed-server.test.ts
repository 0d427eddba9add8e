/** A server that is killed while Packer publishes: what it has answered is kept, and asking again does the rest. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createRegistry } from '../../../src/registry/create-registry.ts';
import { ann, project } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import { freePort } from '../../support/temporal-server.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const database = useDatabase();
const folder = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-killed-'));
const bucket = 'killed-base';
let url: string;
let prefix: string;
let server: ChildProcess;

async function start(): Promise<void> {
  server = spawn(process.execPath, [main, 'server'], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      DATABASE_URL: database().url,
      // Nobody listens there: publishing must not need Temporal.
      TEMPORAL_ADDRESS: '127.0.0.1:9',
      BAKEHOUSE_LISTEN: new URL(url).host,
      BAKEHOUSE_TOKEN: 'a-token',
      BAKEHOUSE_DATA_DIR: folder,
    },
  });
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(100)) {
    if (await isUp()) return;
    if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}`);
  }
  throw new Error('the server does not answer');
}

const isUp = async (): Promise<boolean> =>
  fetch(`${url}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );

async function kill(): Promise<void> {
  const ended = once(server, 'exit');
  server.kill('SIGKILL');
  await ended;
}

beforeAll(async () => {
  const registry = createRegistry(database().store);
  await registry.tenancy.createProject({ project, organization: 'acme', by: ann });
  const { id, organization } = await registry.tenancy.project(project);
  url = `http://127.0.0.1:${await freePort()}`;
  prefix = `${url}/packer/2023-01-01/organizations/${organization.id}/projects/${id}`;
  await start();
}, 90_000);
afterAll(async () => {
  await kill();
  rmSync(folder, { recursive: true, force: true });
});

/** Undefined: there was no answer, so that nobody knows. */
async function call(method: string, at: string, body: object): Promise<unknown> {
  try {
    const answer = await fetch(`${prefix}${at}`, {
      method,
      headers: { authorization: 'Bearer a-token', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${method} ${at}: ${answer.status} ${text}`);
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

async function untilAnswered(method: string, at: string, body: object): Promise<unknown> {
  for (;;) {
    const answer = await call(method, at, body);
    if (answer !== undefined) return answer;
    await sleep(50);
  }
}

const built = z.object({ build: z.object({ id: z.string() }) });

test('no answered end of a build is lost, and every version is completed once', async () => {
  await call('PUT', '/buckets', { name: bucket });
  const answered: string[] = [];
  const publish = async (fingerprint: string): Promise<void> => {
    const version = `/buckets/${bucket}/versions`;
    await untilAnswered('POST', version, { fingerprint, template_type: 'HCL2' });
    const builds = [];
    for (const source of ['file.a', 'file.b', 'file.c']) {
      const opened = await untilAnswered('POST', `${version}/${fingerprint}/builds`, {
        component_type: source,
      });
      builds.push(`${version}/${fingerprint}/builds/${built.parse(opened).build.id}`);
    }
    await Promise.all(
      builds.map(async (build) => {
        await untilAnswered('PATCH', build, { status: 'BUILD_RUNNING', packer_run_uuid: fingerprint });
        const done = {
          status: 'BUILD_DONE',
          packer_run_uuid: fingerprint,
          artifacts: [{ external_identifier: build, region: 'here' }],
        };
        await untilAnswered('PATCH', build, done);
        answered.push(build);
      }),
    );
  };
  let left = Array.from({ length: 12 }, (_, index) => `run-${index}`);
  const all = [...left];
  const lane = async (): Promise<void> => {
    for (;;) {
      const [next, ...rest] = left;
      if (next === undefined) return;
      left = rest;
      await publish(next);
    }
  };
  const lanes = Promise.all(Array.from({ length: 4 }, lane));
  while (answered.length < 10) await sleep(5);
  await kill();
  const kept = [...answered];
  const registry = createRegistry(database().store);
  for (const build of kept) {
    const [, , , , fingerprint = '', , id = ''] = build.split('/');
    const view = await registry.views.build(project, bucket, fingerprint, id);
    expect(view).toMatchObject({ state: 'done', artifacts: [{ externalIdentifier: build }] });
  }
  await start();
  await lanes;
  const versions = await registry.versions.list(project, bucket, { limit: 100 });
  expect(versions.map(({ fingerprint }) => fingerprint).toSorted()).toEqual(all.toSorted());
  const numbers = versions.map(({ number }) => number ?? 0).toSorted((a, b) => a - b);
  expect(numbers).toEqual(all.map((_, index) => index + 1));
  const latest = await registry.channels.get(project, bucket, 'latest');
  expect(latest.effective.versionName).toBe(`v${all.length}`);
  const events = await registry.events.list(project, { bucket, limit: 1000 });
  expect(events.filter(({ kind }) => kind === 'version.completed')).toHaveLength(all.length);
  expect(events.filter(({ kind }) => kind === 'build.done')).toHaveLength(3 * all.length);
}, 120_000);
