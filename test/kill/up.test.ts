/** `bakehouse up` is killed in the middle of a release and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { readJson } from '../../src/cli/up/folder.ts';
import { type Client, createClient } from '../../src/client/index.ts';
import { readTemplateFolder } from '../../src/config/template-folder.ts';
import { until } from '../support/installation.ts';
import { project, slowLine } from './lines.ts';

const dataDir = mkdtempSync(path.join(tmpdir(), 'bakehouse-killed-up-'));
const bin = fileURLToPath(new URL('../../bin/bakehouse', import.meta.url));

afterAll(async () => {
  for (let all = processesBelow(); all.length > 0; all = processesBelow()) {
    for (const { pid } of all) process.kill(pid, 'SIGKILL');
    await sleep(100);
  }
  rmSync(dataDir, { recursive: true, force: true });
}, 60_000);

it('kill -9 of up while Packer runs, and up again: the same Packer finishes, the release completes', async () => {
  const first = await up();
  await applySlowLine(client());
  const asked = await client().acceptRequest({ project, bucket: 'slow', kind: 'release' });
  await until('Packer runs', () => packers().length > 0, 60_000);
  // It starts itself once more; the first of the two is the one that is watched.
  const [before = 0] = packers();
  first.kill('SIGKILL');
  await once(first, 'exit');

  const second = await up();
  expect(packers()).toContain(before);
  expect(packers().length).toBeLessThanOrEqual(2);
  const request = asked.request.id;
  const now = () => client().getRequest({ project, request });
  await until('the release has ended', async () => (await now()).state !== 'open', 240_000);
  const { state, failure, versionId } = await now();
  expect({ state, failure }).toEqual({ state: 'succeeded', failure: null });
  const { versionId: published, images } = await client().resolveChannel({
    project,
    bucket: 'slow',
    channel: 'dev',
  });
  expect(published).toBe(versionId);
  const kept = readdirSync(path.join(dataDir, 'images/images'));
  expect(kept).toEqual(images.map(({ imageId }) => imageId));
  await until('nothing of the bake is left', () => packers().length === 0);

  second.kill('SIGINT');
  await once(second, 'exit');
  expect(second.exitCode).toBe(0);
  await until('no process is left', () => processesBelow().length === 0);
}, 600_000);

/** Ready when this returns. */
async function up(): Promise<ChildProcess> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(BAKEHOUSE|TEMPORAL|DATABASE)_/.test(name),
  );
  const env = { ...Object.fromEntries(inherited), BAKEHOUSE_DATA_DIR: dataDir, BAKEHOUSE_STOP_AFTER: '5s' };
  const child = spawn(bin, ['up'], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  }
  await until(
    'all parts work',
    () => said.includes('all parts work') || child.exitCode !== null,
    150_000,
  ).catch((error: unknown) => {
    throw new Error(said, { cause: error });
  });
  if (child.exitCode !== null) throw new Error(`up ended: ${said}`);
  return child;
}

function client(): Client {
  const { url, token } = readJson(path.join(dataDir, 'cli.json')) ?? {};
  return createClient({ url: String(url), token: String(token) });
}

async function applySlowLine(to: Client): Promise<void> {
  const line = await slowLine(40);
  const folder = fileURLToPath(new URL('../../examples/file', import.meta.url));
  const { files } = await readTemplateFolder(folder);
  const encoded: Record<string, string> = {};
  for (const [name, bytes] of Object.entries(files)) encoded[name] = Buffer.from(bytes).toString('base64');
  const digest = 'digest' in line.template ? line.template.digest : '';
  await to.putTemplate({ project, digest, files: encoded });
  await to.applyLines({ project, lines: [line] });
}

interface Process {
  readonly pid: number;
  readonly command: string;
}

const packers = (): readonly number[] =>
  processesBelow()
    .filter(({ command }) => /\bpacker\S* build\b/.test(command))
    .map(({ pid }) => pid);

/** Whatever names the folder in its command line or its environment. */
function processesBelow(): readonly Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({
      pid: Number(name),
      command: read(name, 'cmdline'),
      environment: read(name, 'environ'),
    }))
    .filter(({ command, environment }) => `${command} ${environment}`.includes(dataDir))
    .map(({ pid, command }) => ({ pid, command }));
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
