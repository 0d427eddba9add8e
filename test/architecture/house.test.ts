import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface SourceFile {
  readonly file: string;
  readonly lines: number;
}

function sources(folder: string): readonly SourceFile[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({
      file: path.join(folder, file),
      lines: readFileSync(path.join(root, folder, file), 'utf8').split('\n').length - 1,
    }));
}

const rooms = [
  'activities',
  'cli',
  'client',
  'config',
  'domain',
  'http',
  'observe',
  'packer',
  'providers',
  'registry',
  'store',
  'temporal',
  'vault',
  'webhooks',
  'worker',
  'workflows',
];

describe('the house', () => {
  it('has exactly the rooms that docs/architecture.md draws', () => {
    const folders = readdirSync(path.join(root, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);

    expect(folders.toSorted()).toEqual(rooms);
    const page = readFileSync(path.join(root, 'docs/architecture.md'), 'utf8');
    for (const room of rooms) expect(page).toContain(`src/${room}`);
  });

  it('keeps source files small: none over 400 lines, half under 100', () => {
    const lines = sources('src').toSorted((a, b) => a.lines - b.lines);

    expect(lines.filter((one) => one.lines > 400)).toEqual([]);
    expect(lines[Math.floor(lines.length / 2)]?.lines).toBeLessThan(100);
  });

  it('keeps workflows at 150 lines and tests at 600', () => {
    expect(sources('src/workflows').filter((one) => one.lines > 150)).toEqual([]);
    expect(sources('test').filter((one) => one.lines > 600)).toEqual([]);
  });

  it('has no drawers', () => {
    const drawers = sources('src').filter((one) =>
      /(^|\/)(utils?|helpers?|common|misc|interfaces|types)(\.ts|\/)/.test(one.file),
    );

    expect(drawers).toEqual([]);
  });

  it('gives every workflow a story or a place in the list, and a fault suite', () => {
    const index = readFileSync(path.join(root, 'src/workflows/index.ts'), 'utf8');
    const exported = [...index.matchAll(/export \{ (\w+)/g)].map((match) => match[1]);
    const tests = readdirSync(path.join(root, 'test/workflows'));

    expect(exported.toSorted((a = '', b = '') => a.localeCompare(b))).toEqual([
      'bake',
      'cascade',
      'checkRun',
      'deliverWebhook',
      'expireBuilds',
      'promote',
      'release',
      'retire',
      'rollBackChannels',
      'scheduleRevocation',
      'testLaunch',
    ]);
    for (const name of exported) {
      const file = `${name?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.faults.test.ts`;
      expect(tests).toContain(file);
    }
  });

  it('gives every provider a conformance test', () => {
    const providers = readdirSync(path.join(root, 'src/providers'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);

    expect(readdirSync(path.join(root, 'test/contract'))).toEqual(
      expect.arrayContaining(providers.map((name) => `${name}.test.ts`)),
    );
  });
});
