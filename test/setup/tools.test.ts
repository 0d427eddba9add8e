import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadTools } from '../../src/config/tools.ts';
import { failure } from '../contract/provider-fixture.ts';

describe('where the programs are', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-tools-'));
    file = path.join(folder, 'tools.json');
    mkdirSync(path.join(folder, 'bin'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const program = (name: string): string => {
    const made = path.join(folder, 'bin', name);
    writeFileSync(made, '#!/bin/sh\n', { mode: 0o755 });
    return made;
  };
  const load = (): ReturnType<typeof loadTools> =>
    loadTools({ BAKEHOUSE_TOOLS: file, PATH: path.join(folder, 'bin') });

  it('is what the set-up recorded', () => {
    const qemuImg = { path: program('elsewhere'), version: '7.2' };
    const packers = [{ path: program('other-packer'), version: '1.6.6', builders: ['qemu'] }];
    writeFileSync(
      file,
      JSON.stringify({ qemuImg, packers, seedImage: { path: '/seed', digest: 'sha256:1' } }),
    );
    program('packer');

    expect(load()).toMatchObject({ qemuImg, packers, seedImage: { path: '/seed' } });
  });

  it('is PATH where nothing was recorded, as in a container', () => {
    const names = ['temporal', 'packer', 'qemu-system-x86_64', 'qemu-img', 'mformat', 'mcopy', 'git'];
    const paths = Object.fromEntries(names.map((name) => [name, program(name)]));

    expect(load()).toMatchObject({
      temporal: { path: paths['temporal'] },
      packers: [{ path: paths['packer'] }],
      qemuSystem: { path: paths['qemu-system-x86_64'] },
      qemuImg: { path: paths['qemu-img'] },
    });
  });

  it('forgets recorded programs that have gone away', () => {
    const gone = { path: path.join(folder, 'gone'), version: '1' };
    writeFileSync(file, JSON.stringify({ temporal: gone, packers: [gone] }));
    const packer = program('packer');

    expect(load().temporal).toBeUndefined();
    expect(load().packers).toEqual([{ path: packer }]);
  });

  it('says what to do about a record that cannot be read', () => {
    writeFileSync(file, '{"half":');

    expect(load).toThrow(failure('tool_missing', file, 'npm run setup'));
  });
});
