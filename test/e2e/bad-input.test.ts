import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadTools } from '../../src/config/tools.ts';
import type { Version } from '../../src/domain/version.ts';
import { type Ran, startCli } from '../cli/support/cli.ts';
import { expectNothingLeft, imagesOf } from '../kill/clean-slate.ts';
import { type Desk, openDesk, registryState } from './support.ts';

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk();
}, 120_000);
afterAll(() => desk.stop(), 60_000);
afterEach(() => expectNothingLeft(desk.installation), 60_000);

/** One message, and nothing else of a program that went wrong. */
function complaint({ code, stderr }: Ran): { code: number | null; message: string } {
  expect(stderr).not.toMatch(/defect|\n\s+at /);
  const [, message = `no complaint in: ${stderr}`] = /^bakehouse: ([\s\S]*)$/m.exec(stderr) ?? [];
  return { code, message: message.trim() };
}

async function unchanged(act: () => Promise<Ran>): Promise<{ code: number | null; message: string }> {
  const { database } = desk.installation;
  const before = await registryState(database);
  const ran = await act();
  expect(await registryState(database)).toEqual(before);
  return complaint(ran);
}

/** A disk of 1 MiB whose boot sector says this on the first serial port and halts. */
function bootSector(text: string): Buffer {
  const disk = Buffer.alloc(1024 * 1024);
  // xor ax,ax; mov ds,ax; cld; mov si,text; next: lodsb; test al,al; jz end; mov dx,3f8h; out dx,al; jmp next; end: hlt; jmp end
  const code = '31c08ed8fcbe167cac84c07406baf803eeebf5f4ebfd';
  disk.write(code, 'hex');
  disk.write(text, code.length / 2);
  disk.writeUInt16LE(0xaa55, 510);
  return disk;
}

/** The newest version of a bucket, whatever became of it. */
async function newest(bucket: string): Promise<Version> {
  const { requests, versions } = desk.installation.registry;
  const [request] = await requests.list('default', { bucket, limit: 1 });
  return versions.get(request?.versionId ?? 'there is no request');
}

async function prod(bucket: string): Promise<string | null> {
  return (await desk.installation.registry.channels.get('default', bucket, 'prod')).effective.versionName;
}

describe('names and files', () => {
  it('an unknown bucket: the ones there are', async () => {
    await desk.apply({ known: {} });
    expect(await unchanged(() => desk.run('release', 'knwon'))).toEqual({
      code: 2,
      message: 'Bucket "knwon" does not exist in project "default". Project "default" has known.',
    });
  }, 60_000);

  it('a configuration with an unknown key: where it stands and what was meant', async () => {
    await desk.apply({ known: {} });
    const { code, message } = await unchanged(() => desk.apply({ known: { templat: 'x' } }));
    expect(code).toBe(2);
    expect(message).toMatch(/^bakehouse\.yaml:1:\d+: .*templat.*did you mean `?template/);
  }, 60_000);

  it('a template that does not validate: Packer’s own words, the version failed, the words in its log', async () => {
    const broken = desk.template('broken', (text) => text.replace('inline = [', 'inlin = ['));
    await desk.apply({ broken: { template: { path: broken } } });

    const { code, message } = complaint(await desk.run('bake', 'broken', '--no-logs'));

    expect(code).toBe(2);
    expect(message).toMatch(/Unsupported argument|inlin/);
    expect(await newest('broken')).toMatchObject({
      state: 'failed',
      name: 'v0',
      failure: { code: 'invalid_input' },
    });
    expect((await desk.run('logs', 'broken')).stdout).toContain('inlin');
    expect(await prod('broken')).toBeNull();
  }, 60_000);

  it('a template without the variables that carry the names: the lines to add', async () => {
    const nameless = desk.template('nameless', (text) =>
      text.replace('variable "bake_id" { type = string }', '').replaceAll('var.bake_id', '"none"'),
    );
    await desk.apply({ nameless: { template: { path: nameless } } });

    const { code, message } = complaint(await desk.run('bake', 'nameless', '--no-logs'));

    expect(code).toBe(2);
    expect(message).toContain('it does not declare the variable bake_id; add:\n  variable "bake_id" {');
    expect((await newest('nameless')).state).toBe('failed');
  }, 60_000);
});

describe('a parent', () => {
  const lines = {
    mother: {},
    child: {
      parents: [{ bucket: 'mother', channel: 'prod', variable: 'seed_image' }],
      variables: { seconds: '0' },
    },
  };

  it('whose channel never had a version: promote one', async () => {
    expect((await desk.apply(lines)).stderr).toBe('');
    expect(await unchanged(() => desk.run('bake', 'child'))).toEqual({
      code: 5,
      message:
        'bucket "child" cannot be baked: channel "prod" of its parent "mother" has no version assigned: it never had one; promote one with `bakehouse promote mother <version> prod`',
    });
  }, 60_000);

  it('whose version was revoked: which, when, why and the way back, with and without roll back', async () => {
    await desk.apply(lines);
    expect((await desk.run('bake', 'mother', '--no-logs')).code).toBe(0);
    expect((await desk.run('assign', 'mother', 'prod', 'v1')).code).toBe(0);
    expect((await desk.run('revoke', 'mother', 'v1', '--reason', 'CVE-1', '--no-roll-back')).code).toBe(0);
    expect(await unchanged(() => desk.run('bake', 'child'))).toEqual({
      code: 5,
      message:
        'bucket "child" cannot be baked: channel "prod" of its parent "mother" points to v1, which is revoked; promote another one with `bakehouse promote mother <version> prod` first',
    });
    expect(await unchanged(() => desk.run('resolve', 'mother', 'prod'))).toMatchObject({
      code: 5,
      message: expect.stringMatching(
        /^channel "prod" of bucket "mother" points to v1, which was revoked on 20\S+ \(CVE-1\); promote another version with `bakehouse promote mother <version> prod`$/,
      ),
    });

    expect((await desk.run('restore', 'mother', 'v1', '--reason', 'a mistake')).code).toBe(0);
    expect((await desk.run('revoke', 'mother', 'v1', '--reason', 'CVE-2')).code).toBe(0);
    const taken =
      'has no version assigned: v1 was revoked on \\S+ \\(CVE-2\\), and no earlier version can take its place; promote one with `bakehouse promote mother <version> prod`, or take the revocation back with `bakehouse restore mother v1` and promote v1 again';
    expect(await unchanged(() => desk.run('bake', 'child'))).toEqual({
      code: 5,
      message: expect.stringMatching(
        `^bucket "child" cannot be baked: channel "prod" of its parent "mother" ${taken}$`,
      ),
    });
    expect(await unchanged(() => desk.run('resolve', 'mother', 'prod'))).toEqual({
      code: 5,
      message: expect.stringMatching(`^channel "prod" of bucket "mother" ${taken}$`),
    });
  }, 90_000);
});

describe('a bake', () => {
  it('on a full image store: the folder, free and needed bytes', async () => {
    const small = await openDesk({}, { imageStoreKilobytes: 4_096 });
    try {
      await small.apply({ big: {} });
      const { code, message } = complaint(await small.run('bake', 'big', '--no-logs'));
      expect(code).toBe(6);
      expect(message).toMatch(
        /the disk of \S+images is full: free \d+ bytes, needed \d+ bytes\. Delete images/,
      );
      const { registry } = small.installation;
      const [request] = await registry.requests.list('default', { bucket: 'big' });
      expect(await registry.versions.get(request?.versionId ?? '')).toMatchObject({
        state: 'failed',
        failure: { code: 'resource_exhausted' },
      });
      expect((await small.run('logs', 'big')).stdout).toContain('woke up');
      expect((await registry.channels.get('default', 'big', 'prod')).effective.versionName).toBeNull();
      await expectNothingLeft(small.installation);
    } finally {
      await small.stop();
    }
  }, 120_000);

  it('whose Packer crashes: exit code, last words and where all of them are', async () => {
    // It waits for its end: Packer goes on while it writes its stacks, and could be done before it dies of them.
    const crashing = desk.template('crashing', (text) =>
      text.replace(
        'sleep \\"$SECONDS_TO_SLEEP\\"',
        'echo it is broken >&2; kill -QUIT $(ps -o ppid= -p $PPID); sleep 60',
      ),
    );
    await desk.apply({ crashing: { template: { path: crashing } } });

    const { code, message } = complaint(await desk.run('bake', 'crashing', '--no-logs'));

    const version = await newest('crashing');
    expect(code).toBe(3);
    expect(message).toMatch(
      /^(file\.slow: unexpected EOF|Packer ended with \d+ and did not make file\.slow); its last lines: .*it is broken/,
    );
    expect(message).toContain(`\`bakehouse logs ${version.requestId ?? ''}\` shows all that Packer said`);
    expect(version).toMatchObject({ state: 'failed', failure: { code: 'bake_failed' } });
    expect((await desk.run('logs', 'crashing')).stdout).toContain('it is broken');
  }, 90_000);
});

/** Not tested, on no channel, the request failed and says why; the console is kept under the launch's id, for the API and the command line. */
async function expectNotTested(bucket: string, check: string): Promise<string> {
  const { client, registry } = desk.installation;
  const [request] = await registry.requests.list('default', { bucket, limit: 1 });
  expect(request).toMatchObject({ state: 'failed', failure: { code: 'test_failed' } });
  const version = await newest(bucket);
  // Complete is not tested: the image exists, and no gated channel takes it.
  expect(version).toMatchObject({ name: 'v1', state: 'complete', tested: false });
  const [artifact] = version.builds.flatMap((build) => build.artifacts);
  expect(artifact?.test).toMatchObject({ passed: false });
  expect(artifact?.test?.checks.filter(({ passed }) => !passed).map(({ name }) => name)).toEqual([check]);
  expect(await prod(bucket)).toBeNull();
  expect(imagesOf(desk.installation)).toContain(artifact?.image.imageId);

  const named = { project: 'default', request: request?.id ?? '' };
  const { streams } = await client.listLogs(named);
  const consoles = streams.filter(({ kind }) => kind === 'console');
  expect(consoles).toMatchObject([{ stream: artifact?.test?.id }]);
  const { text } = await client.readLog({ ...named, stream: artifact?.test?.id ?? '', after: 0 });
  const { stdout } = await desk.run('logs', bucket, '--json');
  const lines = stdout
    .trim()
    .split('\n')
    .map((line): { stream: string; text: string } => JSON.parse(line));
  const ofConsole = lines.filter(({ stream }) => stream === artifact?.test?.id);
  expect(ofConsole.map((line) => line.text).join('')).toBe(text);
  return text;
}

describe('a test launch', () => {
  it('of an image without a boot loader: not booted in time and what that may mean, not tested, its console kept, no channel moved', async () => {
    const blank = path.join(desk.folder, 'blank.qcow2');
    execFileSync(loadTools().qemuImg?.path ?? 'qemu-img', ['create', '-q', '-f', 'qcow2', blank, '16M']);
    await desk.apply({
      dead: {
        variables: { seed_image: blank, seconds: '0' },
        targets: [{ provider: 'qemu', launch: { memoryMb: 128, bootTimeoutMs: 4_000 } }],
      },
    });

    const { code, message } = complaint(await desk.run('release', 'dead', '--no-logs'));

    expect(code).toBe(4);
    expect(message).toMatch(
      /check "boots" failed: qemu: the machine of image dead-\S+ did not let root in over SSH within 4000 ms \(launch\.bootTimeoutMs\)/,
    );
    expect(message).toContain('no boot loader');
    // It has said nothing.
    expect(await expectNotTested('dead', 'boots')).toBe('');
  }, 120_000);

  it('of an image that never boots: what it said last, also in its kept console', async () => {
    const stuck = path.join(desk.folder, 'stuck.qcow2');
    writeFileSync(`${stuck}.raw`, bootSector('loading nothing and staying here'));
    execFileSync(loadTools().qemuImg?.path ?? 'qemu-img', ['convert', '-O', 'qcow2', `${stuck}.raw`, stuck]);
    await desk.apply({
      stuck: {
        variables: { seed_image: stuck, seconds: '0' },
        targets: [{ provider: 'qemu', launch: { memoryMb: 128, bootTimeoutMs: 6_000 } }],
      },
    });

    const { code, message } = complaint(await desk.run('release', 'stuck', '--no-logs'));

    expect(code).toBe(4);
    expect(message).toContain('did not let root in over SSH within 6000 ms');
    expect(await expectNotTested('stuck', 'boots')).toContain('loading nothing and staying here');
  }, 120_000);

  it('whose check fails: the check, its exit code and what it printed; not tested, its console kept, no channel moved', async () => {
    await desk.apply({
      sick: { tests: [{ name: 'the service runs', command: 'echo it does not; exit 7' }] },
    });

    const { code, message } = complaint(await desk.run('release', 'sick', '--no-logs'));

    expect(code).toBe(4);
    expect(message).toMatch(/check "the service runs" failed: exit 7\nit does not/);
    expect(await expectNotTested('sick', 'the service runs')).toContain('ready boot-id=');
  }, 180_000);
});

describe('this machine', () => {
  let taken: Server;
  let port = 0;
  let folder = '';

  beforeAll(async () => {
    taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
    folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-port-'));
  });
  afterAll(() => {
    taken.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('has the port in use that `up` was told to take: which setting to change, and nothing was started', async () => {
    const env = { BAKEHOUSE_LISTEN: `127.0.0.1:${port}`, BAKEHOUSE_DATA_DIR: path.join(folder, 'up') };
    const { code, message } = complaint(await startCli(['up'], { cwd: folder, env }).ended);
    expect({ code, message }).toEqual({
      code: 5,
      message: `port ${port} on 127.0.0.1 is in use: stop what listens there, or set BAKEHOUSE_LISTEN to another port`,
    });
  }, 60_000);

  it('has the port in use that the server was told to take', async () => {
    const env = {
      BAKEHOUSE_LISTEN: `127.0.0.1:${port}`,
      BAKEHOUSE_DATA_DIR: path.join(folder, 'server'),
      BAKEHOUSE_TOKEN: 'x',
      DATABASE_URL: desk.installation.database.url,
    };
    const { code, message } = complaint(await startCli(['server'], { cwd: folder, env }).ended);
    expect(code).toBe(5);
    expect(message).toContain(
      `port ${port} on 127.0.0.1 is in use: stop what listens there, or set BAKEHOUSE_LISTEN`,
    );
  }, 60_000);
});

describe('a machine without QEMU', () => {
  it('says which package to install, before Packer starts; doctor says so too', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-no-qemu-'));
    const { qemuImg: _, qemuSystem: __, ...tools } = loadTools();
    const toolsFile = path.join(folder, 'tools.json');
    writeFileSync(toolsFile, JSON.stringify(tools));
    // What is not in the file is looked for on PATH: so PATH has everything but QEMU.
    const programs = path.join(folder, 'bin');
    mkdirSync(programs);
    const others = readdirSync('/usr/bin').filter((name) => !name.startsWith('qemu'));
    for (const name of others) symlinkSync(`/usr/bin/${name}`, path.join(programs, name));
    const poor = await openDesk({ PATH: programs, BAKEHOUSE_TOOLS: toolsFile });
    try {
      await poor.apply({ line: {} });
      const { code, message } = complaint(await poor.run('bake', 'line', '--no-logs'));
      expect(code).toBe(6);
      expect(message).toContain(
        'qemu: qemu-system-x86 is not installed: run `npm run setup`, or sudo apt-get install -y --no-install-recommends qemu-system-x86',
      );
      const [request] = await poor.installation.registry.requests.list('default', {});
      const version = await poor.installation.registry.versions.get(request?.versionId ?? '');
      expect(version).toMatchObject({ state: 'failed', failure: { code: 'tool_missing' } });
      expect(poor.installation.packer.builds()).toBe(0);
      expect((await poor.run('logs', 'line')).stdout).toContain('qemu-system-x86 is not installed');
      await expectNothingLeft(poor.installation);

      const env = { PATH: programs, BAKEHOUSE_TOOLS: toolsFile, BAKEHOUSE_DATA_DIR: folder };
      const doctor = await startCli(['doctor'], { cwd: folder, env }).ended;
      expect(complaint(doctor)).toMatchObject({ code: 6, message: expect.stringContaining('checks failed') });
      expect(doctor.stdout).toMatch(/FAIL .*qemu-system-x86 is not installed: run `npm run setup`/);
    } finally {
      await poor.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
