/** The services of docker-compose.yml as processes: their commands, environments and health checks, in a folder like the image's. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { loadTools } from '../../src/config/tools.ts';
import { writeKeyFile } from '../../src/temporal/codec/key-file.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { createNamespace, freePort } from '../support/temporal-server.ts';
import { entryPoint, makeImageFolder, milliseconds, readCompose, type Service } from './support.ts';

const run = promisify(execFile);
const { services } = readCompose();
const ours = ['server', 'worker', 'bake-host'];

let folder: string;
let database: TestDatabase;
let namespace: string;
let port = 0;
let tlsPort = 0;
const processes = new Map<string, ChildProcess>();

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-compose-'));
  makeImageFolder(path.join(folder, 'image'));
  database = await createDatabase();
  namespace = await createNamespace(inject('temporalAddress'));
  [port, tlsPort] = [await freePort(), await freePort()];
  fillConfig();
}, 60_000);

afterAll(async () => {
  for (const child of processes.values()) if (isAlive(child)) child.kill('SIGKILL');
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const isAlive = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

function service(name: string): Service & { readonly command: readonly string[] } {
  const found = services[name];
  if (found?.command === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return { ...found, command: found.command };
}

/** The .env file. */
const written: Readonly<Record<string, string>> = {
  POSTGRES_PASSWORD: 'a-password',
  BAKEHOUSE_TOKEN: 'a-token-of-the-env-file',
  BAKEHOUSE_CLOUDS: '/etc/bakehouse/clouds.yaml',
  BAKEHOUSE_PAYLOAD_KEYS_FILE: '/etc/bakehouse/payload-keys',
};

/** deploy/config, as an operator fills it. Nothing of this account is called. */
function fillConfig(): void {
  const config = path.join(folder, 'config');
  mkdirSync(config);
  const clouds = { aws: { accounts: [{ id: '111122223333', regions: ['eu-central-1'] }] } };
  writeFileSync(path.join(config, 'clouds.yaml'), JSON.stringify(clouds));
  writeKeyFile(path.join(config, 'payload-keys'), [{ id: 'k1', key: randomBytes(32).toString('base64') }]);
}

/** What a container sees becomes what this machine has: host names, ports and folders, and nothing else. */
function local(name: string, text: string): string {
  const filled = text
    .replaceAll(/\$\{([A-Z_]+):\?[^}]+\}/g, (_, variable: string) => written[variable] ?? '?')
    .replaceAll(
      /\$\{([A-Z_]+):?-([^{}]*)\}/g,
      (_, variable: string, otherwise: string) => written[variable] ?? otherwise,
    );
  if (filled === 'postgres://bakehouse:a-password@postgres:5432/bakehouse') return database.url;
  return filled
    .replace('temporal:7233', inject('temporalAddress'))
    .replace(/^default$/, namespace)
    .replace(/(0\.0\.0\.0|127\.0\.0\.1):8400/, `127.0.0.1:${port}`)
    .replace('0.0.0.0:8443', `127.0.0.1:${tlsPort}`)
    .replace('/var/lib/bakehouse-images', path.join(folder, 'images'))
    .replace('/var/lib/bakehouse', path.join(folder, name, 'data'))
    .replace(/^\/tmp\//, `${path.join(folder, name)}/`)
    .replace(/^\/etc\/bakehouse/, path.join(folder, 'config'));
}

/** The image has its programs on PATH; here the set-up may have unpacked them elsewhere. */
const { packers, mformat, mcopy } = loadTools();
const programs = [...packers, mformat, mcopy].flatMap((tool) =>
  tool === undefined ? [] : [path.dirname(tool.path)],
);
const shell = {
  PATH: [...new Set(programs), process.env['PATH'] ?? ''].join(path.delimiter),
  // Below a home of the test's it would be refused where /tmp is anybody's.
  SWC_NATIVE_BINDING_CACHE: path.join(homedir(), '.cache/swc'),
};

function start(name: string): void {
  const { command, environment = {} } = service(name);
  mkdirSync(path.join(folder, name, 'data'), { recursive: true });
  const log = openSync(path.join(folder, `${name}.log`), 'a');
  const [program = '', ...args] = [...entryPoint(), ...command];
  const env = Object.fromEntries(
    Object.entries(environment).map(([variable, value]) => [variable, local(name, value)]),
  );
  const child = spawn(path.resolve(folder, 'image', program), args, {
    cwd: path.join(folder, 'image'),
    env: { ...shell, HOME: path.join(folder, name), ...env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  processes.set(name, child);
}

/** The very check of the file, as often as the file says. */
async function healthy(name: string): Promise<void> {
  const { healthcheck } = service(name);
  if (healthcheck === undefined) throw new Error(`${name} has no health check`);
  const [kind, program = '', ...args] = healthcheck.test;
  expect(kind).toBe('CMD');
  const file = program.includes('/') ? path.resolve(folder, 'image', program) : program;
  const options = { env: shell, cwd: path.join(folder, 'image'), timeout: milliseconds(healthcheck.timeout) };
  const until = Date.now() + milliseconds(healthcheck.interval) * healthcheck.retries;
  for (;;) {
    try {
      await run(
        file,
        args.map((arg) => local(name, arg)),
        options,
      );
      return;
    } catch (error) {
      const child = processes.get(name);
      if (Date.now() > until || child === undefined || !isAlive(child)) {
        const log = readFileSync(path.join(folder, `${name}.log`), 'utf8').slice(-3_000);
        throw new Error(`${name} is not healthy\n${log}`, { cause: error });
      }
      await sleep(250);
    }
  }
}

/** Ours among what it waits for: the others are here already. */
async function startInOrder(name: string): Promise<void> {
  for (const before of Object.keys(service(name).depends_on ?? {})) {
    if (ours.includes(before)) await healthy(before);
  }
  start(name);
}

const cli = (...args: readonly string[]) =>
  run(path.join(folder, 'image/bin/bakehouse'), args, {
    cwd: path.join(folder, 'image'),
    env: {
      ...shell,
      HOME: folder,
      BAKEHOUSE_URL: `http://127.0.0.1:${port}`,
      BAKEHOUSE_TOKEN: written['BAKEHOUSE_TOKEN'] ?? '',
    },
  });

describe('docker-compose.yml as processes', () => {
  it('is not healthy before it is started', async () => {
    await expect(healthy('server')).rejects.toThrow();
    await expect(healthy('worker')).rejects.toThrow();
  });

  it('starts in the order of the file and becomes healthy', async () => {
    for (const name of ours) await startInOrder(name);
    await Promise.all(ours.map(healthy));
  }, 120_000);

  it('bakes the file example', async () => {
    const { seedImage } = loadTools();
    const file = path.join(folder, 'image/one.yaml');
    const line = {
      template: { path: 'examples/file', entry: 'slow.pkr.hcl' },
      variables: { seed_image: seedImage?.path ?? '', seconds: '1' },
    };
    writeFileSync(file, JSON.stringify({ buckets: { slow: line } }));
    await cli('apply', '-f', file, '--yes');

    const { stdout } = await cli('bake', 'slow', '--no-logs', '--json');

    expect(JSON.parse(stdout)).toMatchObject({
      request: { state: 'succeeded', stage: 'v1 is complete' },
      version: { name: 'v1', state: 'complete', builds: [{ source: 'file.slow', state: 'done' }] },
    });
  }, 90_000);

  it('knows the accounts of the file of clouds, and encrypts with the payload keys', async () => {
    const file = path.join(folder, 'image/two.yaml');
    const apply = (region: string) => {
      const targets = [{ provider: 'aws', account: '111122223333', region }];
      const line = { template: { git: 'https://git.example/x.git', ref: 'main' }, targets };
      writeFileSync(file, JSON.stringify({ buckets: { cloudy: line } }));
      return cli('apply', '-f', file, '--yes');
    };
    await apply('eu-central-1');
    await expect(apply('eu-west-1')).rejects.toThrow(
      'target aws/111122223333/eu-west-1: is no place of this installation',
    );

    const temporal = openTemporal({ address: inject('temporalAddress'), namespace, deadlineMs: 5_000 });
    const inputs: string[] = [];
    for await (const { workflowId } of temporal.client.workflow.list()) {
      const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
      const { input } = events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
      inputs.push(
        ...(input?.payloads ?? []).map(({ metadata }) =>
          Buffer.from(metadata?.['encoding'] ?? []).toString(),
        ),
      );
    }
    await temporal.close();
    expect(inputs.length).toBeGreaterThan(0);
    expect(new Set(inputs)).toEqual(new Set(['binary/encrypted']));
  }, 60_000);

  it.each(ours.toReversed())(
    '%s ends in time and in order when it is asked to',
    async (name) => {
      const child = processes.get(name);
      if (child === undefined) throw new Error(`${name} was not started`);
      const exited = once(child, 'exit');
      const began = Date.now();
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
      expect(Date.now() - began).toBeLessThan(milliseconds(service(name).stop_grace_period ?? ''));
      await expect(healthy(name)).rejects.toThrow();
    },
    60_000,
  );
});
