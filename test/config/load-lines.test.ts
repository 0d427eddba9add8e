import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadLines } from '../../src/config/load-lines.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-lines-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: string | Uint8Array): string => {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
};

const line = (name: string): string => `buckets: {${name}: {template: t}}`;

describe('loading image lines', () => {
  it('reads the folder of a template and pins it by its content', async () => {
    write('templates/base/main.pkr.hcl', 'source {}');
    write('templates/base/scripts/install.sh', 'true');
    const file = write('bakehouse.yaml', 'buckets: {base: {template: templates/base}}');

    const first = await loadLines(file, 'default');
    const template = first.projects[0]?.lines[0]?.template;
    const digest = template?.kind === 'folder' ? template.digest : '';
    expect(template).toMatchObject({ kind: 'folder', path: 'templates/base', entry: '.' });
    expect(Object.keys(first.templates.get(digest) ?? {})).toEqual(['main.pkr.hcl', 'scripts/install.sh']);

    write('templates/base/scripts/install.sh', 'false');
    expect((await loadLines(file, 'default')).templates.has(digest)).toBe(false);
  });

  it('takes a single file as the entry of its folder, and leaves itself out of the digest', async () => {
    write('base.pkr.hcl', 'source {}');
    const file = write('bakehouse.yaml', 'buckets: {base: {template: base.pkr.hcl}}');
    const before = await loadLines(file, 'default');
    write('bakehouse.yaml', 'buckets: {base: {template: base.pkr.hcl, description: other}}');
    const after = await loadLines(file, 'default');

    expect(before.projects[0]?.lines[0]?.template).toMatchObject({ entry: 'base.pkr.hcl' });
    expect([...after.templates.keys()]).toEqual([...before.templates.keys()]);
  });

  it('groups documents by project; the command names the one that is not written', async () => {
    write('t/a.pkr.hcl', 'x');
    const file = write(
      'bakehouse.yaml',
      [line('one'), `project: other\n${line('two')}`, line('three')].join('\n---\n'),
    );

    expect(
      (await loadLines(file, 'mine')).projects.map((one) => [
        one.project,
        one.lines.map((each) => each.bucket),
      ]),
    ).toEqual([
      ['mine', ['one', 'three']],
      ['other', ['two']],
    ]);
  });

  it.each([
    [
      'a folder that is not there',
      'templates/none',
      /bakehouse\.yaml:1:28: template .*templates\/none cannot be used: there is no such/,
    ],
    ['an empty folder', 'empty', /1:28: template .*empty cannot be used: it holds no files/],
    ['a folder with a link', 'linked', /passwd is neither a file nor a folder/],
    ['a folder too big', 'big', /it holds more than 2 MB/],
    ['a folder with too many files', 'many', /it holds more than 500 files/],
    ['an entry that is not there', '{path: good, entry: b.pkr.hcl}', /there is no b\.pkr\.hcl in/],
  ])('refuses %s', async (_, template, message) => {
    mkdirSync(path.join(folder, 'empty'));
    write('good/a.pkr.hcl', 'x');
    write('linked/a.pkr.hcl', 'x');
    symlinkSync('/etc/passwd', path.join(folder, 'linked/passwd'));
    write('big/a.bin', new Uint8Array(2 * 1024 * 1024 + 1));
    for (let index = 0; index <= 500; index += 1) write(`many/${index}`, 'x');
    const file = write('bakehouse.yaml', `buckets: {base: {template: ${template}}}`);

    await expect(loadLines(file, 'default')).rejects.toThrow(message);
  });

  it('says how to name another file when there is none', async () => {
    await expect(loadLines(path.join(folder, 'none.yaml'), 'default')).rejects.toThrow(/name it with --file/);
  });
});
