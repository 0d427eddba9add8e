import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { isFailure } from '../../src/domain/failure.ts';
import { choosePacker } from '../../src/packer/choose-packer.ts';
import type { DetectedPacker } from '../../src/packer/detect.ts';
import { detectPackers, isAtLeast } from '../../src/packer/detect.ts';
import { packerEnvironment } from '../../src/packer/environment.ts';
import { runProgram } from '../../src/packer/program.ts';
import { missingPackers, packersUnderTest } from './support/packers.ts';
import { temporaryFolder } from './support/runs.ts';

const debian: DetectedPacker = {
  path: '/usr/bin/packer',
  version: '1.6.6',
  builders: ['file', 'null', 'qemu'],
};
const latest: DetectedPacker = {
  path: '/opt/packer',
  version: '1.16.0',
  builders: ['amazon-ebs', 'file', 'null'],
  plugins: '/plugins',
};

function message(found: readonly DetectedPacker[], builders: readonly string[], modern = false): string {
  try {
    return choosePacker(found, { builders, modern }).version;
  } catch (error) {
    if (isFailure(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe('the Packer of a bake', () => {
  test('is the newest that has the builders, whatever the order', () => {
    for (const found of [
      [debian, latest],
      [latest, debian],
    ]) {
      expect(message(found, ['file'])).toBe('1.16.0');
      expect(message(found, ['qemu', 'file'])).toBe('1.6.6');
      expect(message(found, ['amazon-ebs'])).toBe('1.16.0');
    }
    expect(isAtLeast('1.10.0', '1.7.0')).toBe(true);
    expect(isAtLeast('1.6.6', '1.7.0')).toBe(false);
  });

  test('that is missing is named with what was found and what to install', () => {
    expect(message([latest], ['qemu'])).toBe(
      "tool_missing: no Packer here has the builder qemu; found 1.16.0 at /opt/packer. Install it with `packer plugins install github.com/hashicorp/qemu` (Packer 1.7 or later), or Debian's package, which has it compiled in: `apt-get install packer`",
    );
    expect(message([latest], ['azure-arm'])).toContain('`packer plugins install github.com/hashicorp/azure`');
    expect(message([debian], ['file'], true)).toContain(
      'need Packer 1.7 or later; found 1.6.6 at /usr/bin/packer',
    );
    expect(message([], ['file'])).toContain('there is no Packer on this host');
  });

  test.each([
    ['publishes', { hcpRegistry: true }, '1.15.0', '1.14.9'],
    ['reads a registry', { hcpData: true }, '1.11.2', '1.11.1'],
    ['does both', { hcpRegistry: true, hcpData: true }, '1.15.0', '1.14.9'],
  ])('of a template that %s (%o) is of %s or newer', (_what, needs, least, older) => {
    const asked = { builders: ['file'], modern: false, ...needs };
    expect(choosePacker([debian, { ...latest, version: least }], asked).version).toBe(least);
    expect(() => choosePacker([debian, { ...latest, version: older }], asked)).toThrow(
      `Packer ${least} or later is needed`,
    );
  });
});

describe('detecting', () => {
  test('both Packers that everything is tested with are here', () => {
    if (missingPackers.length === 0) return;
    const said = `not tested with ${missingPackers.join(', ')}`;
    if (process.env['CI'] !== undefined) throw new Error(said);
    process.stderr.write(`${said}\n`);
  });

  test('reads version and compiled-in builders of the real ones', () => {
    for (const packer of packersUnderTest) {
      expect(packer.builders).toEqual(expect.arrayContaining(['file', 'null']));
      expect(packer.builders.includes('qemu')).toBe(packer.version === '1.6.6');
    }
  });

  test('reads the builders of installed plugins', async () => {
    using home = temporaryFolder();
    const newest = packersUnderTest.find((packer) => isAtLeast(packer.version, '1.7.0'));
    if (newest === undefined) return;
    const folder = join(home.path, 'plugins');
    const source = join(home.path, 'packer-plugin-example');
    const describing =
      '{"version":"1.2.3","sdk_version":"0.5.2","api_version":"x5.0","builders":["-packer-default-plugin-name-","chroot"],"post_processors":[],"provisioners":[],"datasources":[]}';
    writeFileSync(source, `#!/bin/sh\necho '${describing}'\n`);
    chmodSync(source, 0o755);
    const installed = await runProgram(
      newest.path,
      ['plugins', 'install', '--path', source, 'github.com/hashicorp/example'],
      {
        env: {
          PATH: process.env['PATH'],
          HOME: home.path,
          PACKER_PLUGIN_PATH: folder,
          CHECKPOINT_DISABLE: '1',
        },
        timeoutMs: 60_000,
      },
    );
    expect(installed).toMatchObject({ exitCode: 0 });
    const [found] = await detectPackers([{ path: newest.path, plugins: folder }], process.env);
    expect(found?.builders).toEqual(['example', 'example-chroot', 'file', 'null']);
  });

  test('leaves out what is not there, does not run, or is another program of that name', async () => {
    using home = temporaryFolder();
    const other = join(home.path, 'packer');
    writeFileSync(other, '#!/bin/sh\necho cracklib\n');
    chmodSync(other, 0o755);
    writeFileSync(join(home.path, 'text'), 'no program');
    const paths = [other, join(home.path, 'text'), join(home.path, 'absent')];
    expect(
      await detectPackers(
        paths.map((path) => ({ path })),
        process.env,
      ),
    ).toEqual([]);
  });
});

describe('the environment of Packer', () => {
  test('passes harmless names on, and nothing that holds or asks for credentials', () => {
    const places = { home: '/a/home', temporary: '/a/tmp', cache: '/a/cache', plugins: '/p' };
    const caller = {
      PATH: '/bin',
      LANG: 'C',
      LC_ALL: 'C',
      https_proxy: 'http://p',
      NO_PROXY: 'x',
      HOME: '/root',
      TMPDIR: '/tmp',
      HCP_CLIENT_SECRET: 's',
      HCP_PACKER_REGISTRY: 'on',
      PKR_VAR_password: 's',
      VAULT_TOKEN: 's',
      BAKEHOUSE_DATABASE_URL: 's',
      AWS_SECRET_ACCESS_KEY: 's',
      PACKER_LOG: '1',
      PACKER_CONFIG: '/x',
      NODE_OPTIONS: '--inspect',
      LD_PRELOAD: 'x',
    };
    expect(packerEnvironment(caller, places, { AWS_SESSION_TOKEN: 'given' })).toEqual({
      PATH: '/bin',
      LANG: 'C',
      LC_ALL: 'C',
      https_proxy: 'http://p',
      NO_PROXY: 'x',
      HOME: '/a/home',
      TMPDIR: '/a/tmp',
      PACKER_CONFIG_DIR: '/a/home/.packer.d',
      PACKER_CACHE_DIR: '/a/cache',
      PACKER_PLUGIN_PATH: '/p',
      PACKER_NO_COLOR: '1',
      CHECKPOINT_DISABLE: '1',
      AWS_SESSION_TOKEN: 'given',
    });
  });
});
