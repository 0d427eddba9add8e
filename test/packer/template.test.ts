import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { readTemplateFolder } from '../../src/config/template-folder.ts';
import { isFailure } from '../../src/domain/failure.ts';
import { templateDigest } from '../../src/domain/template-digest.ts';
import { checkout, resolveCommit } from '../../src/packer/git.ts';
import { checkTemplate } from '../../src/packer/template-contract.ts';
import { readTemplate } from '../../src/packer/template-facts.ts';
import { safePath, writeTemplate } from '../../src/packer/template-files.ts';
import { snapshot } from './support/attempts.ts';
import { temporaryFolder } from './support/runs.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function textsOf(name: string): Promise<Record<string, string>> {
  const template = await snapshot(name);
  if (template.kind !== 'snapshot') throw new Error('a snapshot was expected');
  const wanted = Object.entries(template.files).filter(([path]) => /\.(hcl|json)$/.test(path));
  return Object.fromEntries(wanted.map(([path, content]) => [path, new TextDecoder().decode(content)]));
}

async function complaint(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (isFailure(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing';
}

describe('what a template says', () => {
  test('sources with their names in output and manifest, variables, manifests', async () => {
    const facts = await readTemplate({
      'a.pkr.hcl': `
        source "qemu" "base" {
          output_directory = var.output_directory
        }
        variable "bake_id" {
          type = string
        }
        variable "password" {
          sensitive = true
          default   = "x"
        }`,
      'b.pkr.hcl': `
        packer {
          required_plugins {
            qemu = {
              source  = "github.com/hashicorp/qemu"
              version = ">= 1"
            }
          }
        }
        build {
          name    = "line"
          sources = ["source.qemu.base"]
          source "qemu.base" {
            name = "web"
          }
          hcp_packer_registry {
            bucket_name = "x"
          }
          post-processors {
            post-processor "manifest" {
              output      = var.manifest_path
              custom_data = { bake_id = var.bake_id }
            }
          }
        }`,
    });
    expect(
      facts.sources.map(({ source, builderType, target, manifestName }) => ({
        source,
        builderType,
        target,
        manifestName,
      })),
    ).toEqual([
      { source: 'qemu.base', builderType: 'qemu', target: 'line.qemu.base', manifestName: 'base' },
      { source: 'qemu.web', builderType: 'qemu', target: 'line.qemu.web', manifestName: 'base' },
    ]);
    expect(facts.variables).toEqual([
      { name: 'bake_id', required: true, sensitive: false },
      { name: 'password', required: false, sensitive: true, default: 'x' },
    ]);
    expect(facts.manifests).toEqual([
      [{ output: '${var.manifest_path}', customData: { bake_id: '${var.bake_id}' } }],
    ]);
    expect(facts).toMatchObject({
      requiredPlugins: ['github.com/hashicorp/qemu'],
      hcpRegistry: true,
      hcpData: false,
    });
  });

  test.each([
    ['hcp-packer-artifact', true],
    ['hcp-packer-version', true],
    ['amazon-ami', false],
  ])('a data source %s reads a registry: %s', async (type, hcpData) => {
    const text = `data "${type}" "base" {\n}\nbuild {\n}\n`;
    expect(await readTemplate({ 'a.pkr.hcl': text })).toMatchObject({ hcpData, hcpRegistry: false });
    const json = JSON.stringify({ data: { [type]: { base: {} } }, build: {} });
    expect(await readTemplate({ 'a.pkr.json': json })).toMatchObject({ hcpData, hcpRegistry: false });
  });

  test('the same of a template in HCL’s JSON form and of a legacy one', async () => {
    const json = await readTemplate({
      'a.pkr.json': JSON.stringify({
        variable: { bake_id: { type: 'string' } },
        source: { file: { a: { target: '${var.output_directory}/a' } } },
        build: {
          sources: ['source.file.a'],
          'post-processor': {
            manifest: { output: '${var.manifest_path}', custom_data: { bake_id: '${var.bake_id}' } },
          },
        },
      }),
    });
    expect(json.sources[0]).toMatchObject({ source: 'file.a', target: 'file.a' });
    expect(json.variables).toEqual([{ name: 'bake_id', required: true, sensitive: false }]);
    expect(json.manifests).toHaveLength(1);
    const legacy = await readTemplate(await textsOf('legacy'));
    expect(legacy.form).toBe('json');
    expect(legacy.sources[0]).toMatchObject({ source: 'file.web', target: 'web', manifestName: 'web' });
    expect(legacy.variables.find((one) => one.name === 'password')).toEqual({
      name: 'password',
      required: true,
      sensitive: true,
    });
    expect(await complaint(() => checkTemplate(legacy, { variables: [], only: [] }))).toBe('nothing');
  });

  test('a mistake in it with file and line', async () => {
    expect(await complaint(() => readTemplate({ 'a.pkr.hcl': 'source "file" {\n' }))).toMatch(
      /^invalid_input: template file a\.pkr\.hcl cannot be read: a\.pkr\.hcl:\d/,
    );
    expect(await complaint(() => readTemplate({ 'a.json': '{' }))).toMatch(
      /^invalid_input: template file a\.json/,
    );
    expect(await complaint(() => readTemplate({ 'a.json': '{"builders":1}' }))).toContain('builders');
  });
});

describe('what Bakehouse needs of a template', () => {
  test('is shown as the very lines to add, which then fit', async () => {
    const texts = await textsOf('without-names');
    const said = await complaint(async () =>
      checkTemplate(await readTemplate(texts), { variables: ['parent'], only: [] }),
    );
    expect(said).toContain(
      'does not declare the variables bake_id, image_name, output_directory, manifest_path, parent',
    );
    expect(said).toContain('custom_data = { bake_id = var.bake_id }');
    expect(said).toContain('target = "${var.output_directory}/base.img"');
    const line = (start: RegExp, end: string) => said.slice(said.search(start)).split(end)[0] + end;
    const variables = said.slice(said.indexOf('  variable'), said.indexOf('- each build'));
    const manifest = line(/ {2}post-processor "manifest"/, '\n  }');
    const text = texts['base.pkr.hcl'] ?? '';
    const mended = `${variables}\n${text}`
      .replace('target  = "/tmp/somewhere.img"', 'target = "${var.output_directory}/base.img"')
      .replace(/\}\s*$/, `${manifest}\n}\n`);
    expect(
      await complaint(async () =>
        checkTemplate(await readTemplate({ 'a.pkr.hcl': mended }), { variables: ['parent'], only: [] }),
      ),
    ).toBe('nothing');
  });

  test('names of sources that exist, each once', async () => {
    const partial = await readTemplate(await textsOf('partial'));
    expect(await complaint(() => checkTemplate(partial, { variables: [], only: ['file.god'] }))).toContain(
      'it has no source file.god; it has file.good, file.bad',
    );
    const twice = { ...partial, sources: [...partial.sources, ...partial.sources] };
    expect(await complaint(() => checkTemplate(twice, { variables: [], only: [] }))).toContain(
      'source file.good is built twice',
    );
  });
});

describe('a template as content', () => {
  test('goes into a folder and out again, with what names its interpreter executable', async () => {
    using home = temporaryFolder();
    const files = { 'a.pkr.hcl': bytes('x'), 'scripts/run.sh': bytes('#!/bin/sh\n') };
    const digest = await templateDigest(files);
    await writeTemplate(files, digest, join(home.path, 'template'));
    await writeTemplate(files, digest, join(home.path, 'template'));
    expect(statSync(join(home.path, 'template/scripts/run.sh')).mode & 0o111).toBe(0o111);
    expect(statSync(join(home.path, 'template/a.pkr.hcl')).mode & 0o111).toBe(0);
    expect(await readTemplateFolder(join(home.path, 'template'))).toEqual({ files, entry: '.' });
    expect((await readTemplateFolder(join(home.path, 'template/a.pkr.hcl'))).entry).toBe('a.pkr.hcl');
    expect(readdirSync(home.path)).toEqual(['template']);
  });

  test('never leaves its folder, whatever its paths say', async () => {
    using home = temporaryFolder();
    for (const path of ['../x', '/x', 'a/../../x', '..', '', 'a\\b', 'a\u0000b', 'a\nb']) {
      expect(() => safePath(path)).toThrow(/must be inside/);
      const files = { [path]: bytes('x'), fine: bytes('y') };
      const digest = await templateDigest(files);
      await expect(writeTemplate(files, digest, join(home.path, 'template'))).rejects.toThrow(
        /must be inside/,
      );
      expect(readdirSync(home.path)).toEqual([]);
    }
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('.', '/', 'a', '..', '~') }), (path) => {
        let clean: string;
        try {
          clean = safePath(path);
        } catch {
          return;
        }
        expect(join('/root/folder', clean)).toMatch(/^\/root\/folder/);
      }),
    );
  });

  test('is refused when it is not what was pinned', async () => {
    using home = temporaryFolder();
    const said = await complaint(() =>
      writeTemplate({ a: bytes('x') }, 'sha256:00', join(home.path, 'template')),
    );
    expect(said).toMatch(/^invalid_input: template content is sha256:[0-9a-f]{64}, but sha256:00 was pinned/);
    expect(existsSync(join(home.path, 'template'))).toBe(false);
  });

  test('has one digest whatever the order, and another one when a byte moves between files', async () => {
    const digest = await templateDigest({ a: bytes('1'), b: bytes('2') });
    expect(await templateDigest({ b: bytes('2'), a: bytes('1') })).toBe(digest);
    expect(await templateDigest({ a: bytes('12'), b: bytes('') })).not.toBe(digest);
    expect(await templateDigest({ a: bytes('1'), bb: bytes('2') })).not.toBe(digest);
  });

  test('is read from a folder without history, links and more than the limits', async () => {
    using home = temporaryFolder();
    mkdirSync(join(home.path, '.git'));
    writeFileSync(join(home.path, '.git/config'), 'x');
    expect(await complaint(() => readTemplateFolder(home.path))).toContain('it holds no files');
    writeFileSync(join(home.path, 'a.pkr.hcl'), 'x');
    expect(Object.keys((await readTemplateFolder(home.path)).files)).toEqual(['a.pkr.hcl']);
    writeFileSync(join(home.path, 'large'), Buffer.alloc(2 * 1024 * 1024));
    expect(await complaint(() => readTemplateFolder(home.path))).toContain('more than 2 MB');
    using links = temporaryFolder();
    symlinkSync('/etc/passwd', join(links.path, 'a'));
    expect(await complaint(() => readTemplateFolder(links.path))).toContain('a link could lead anywhere');
    using many = temporaryFolder();
    for (let count = 0; count <= 500; count++) writeFileSync(join(many.path, `f${count}`), '');
    expect(await complaint(() => readTemplateFolder(many.path))).toContain('more than 500 files');
    expect(await complaint(() => readTemplateFolder('/does/not/exist'))).toContain('no such folder');
  });
});

describe('a template from git', () => {
  const environment = {
    ...process.env,
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@b',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@b',
  };
  const options = { git: 'git', environment: process.env };

  function repository(folder: string): (...args: string[]) => string {
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', folder, ...args], { env: environment, encoding: 'utf8' }).trim();
    mkdirSync(folder);
    git('init', '--quiet', '-b', 'main');
    writeFileSync(join(folder, 'a.pkr.hcl'), 'one');
    git('add', '.');
    git('commit', '--quiet', '-m', 'one');
    return git;
  }

  test('a branch, a tag and an annotated tag become commits, a commit becomes a folder', async () => {
    using home = temporaryFolder();
    const origin = join(home.path, 'origin');
    const git = repository(origin);
    const first = git('rev-parse', 'HEAD');
    git('tag', 'light');
    git('tag', '-a', 'v1', '-m', 'v1');
    writeFileSync(join(origin, 'a.pkr.hcl'), 'two');
    git('commit', '--quiet', '-am', 'two');
    const second = git('rev-parse', 'HEAD');
    for (const [ref, commit] of [
      ['main', second],
      ['refs/heads/main', second],
      ['light', first],
      ['v1', first],
      [first, first],
    ] as const) {
      expect(await resolveCommit(origin, ref, options)).toBe(commit);
    }
    for (const url of [origin, `file://${origin}`]) {
      const folder = join(home.path, url === origin ? 'by-path' : 'by-url');
      await checkout(url, first, folder, options);
      await checkout(url, first, folder, options);
      expect(readdirSync(folder)).toEqual(['a.pkr.hcl']);
      expect(readFileSync(join(folder, 'a.pkr.hcl'), 'utf8')).toBe('one');
    }
    git('tag', 'main');
    expect(await complaint(() => resolveCommit(origin, 'main', options))).toBe(
      `invalid_input: main is ambiguous in ${origin}: write refs/heads/main or refs/tags/main`,
    );
  });

  test('what is not there, or unreachable, is said so, and nothing is left', async () => {
    using home = temporaryFolder();
    const origin = join(home.path, 'origin');
    repository(origin);
    const nowhere = '0'.repeat(40);
    expect(await complaint(() => resolveCommit(origin, 'nope', options))).toMatch(
      /^not_found: .*no branch or tag nope/,
    );
    expect(await complaint(() => checkout(origin, nowhere, join(home.path, 'x'), options))).toMatch(
      /^not_found: /,
    );
    expect(await complaint(() => resolveCommit(join(home.path, 'none'), 'main', options))).toMatch(
      /^invalid_input: git cannot read/,
    );
    expect(await complaint(() => resolveCommit('http://127.0.0.1:9/x', 'main', options))).toMatch(
      /^provider_unavailable: /,
    );
    expect(readdirSync(home.path)).toEqual(['origin']);
  });

  test('nothing that looks like an option, a command or a way around reaches git', async () => {
    using home = temporaryFolder();
    const witness = join(home.path, 'witness');
    for (const url of ['--upload-pack=x', `ext::sh -c touch% ${witness}`, 'ext::x', 'a b', '', 'fd::3']) {
      expect(await complaint(() => resolveCommit(url, 'main', options))).toMatch(/is not a repository/);
    }
    const secret = await complaint(() => resolveCommit('https://ci:hunter2@127.0.0.1:9/x', 'main', options));
    expect(secret).toMatch(/holds a user or password/);
    expect(secret).not.toContain('hunter2');
    for (const ref of ['--exec=x', 'a b', 'a..b', 'a:b', '*', '', 'HEAD^']) {
      expect(await complaint(() => resolveCommit('/x', ref, options))).toMatch(
        /is not a branch, tag or commit/,
      );
    }
    expect(await complaint(() => checkout('/x', 'main', join(home.path, 'y'), options))).toMatch(
      /is not a commit/,
    );
    expect(existsSync(witness)).toBe(false);
  });

  test('a link that leads out of the tree is refused', async () => {
    using home = temporaryFolder();
    const origin = join(home.path, 'origin');
    const git = repository(origin);
    symlinkSync('a.pkr.hcl', join(origin, 'inside'));
    git('add', '.');
    git('commit', '--quiet', '-m', 'inside');
    await checkout(origin, git('rev-parse', 'HEAD'), join(home.path, 'fine'), options);
    symlinkSync('/etc/passwd', join(origin, 'outside'));
    git('add', '.');
    git('commit', '--quiet', '-m', 'outside');
    expect(
      await complaint(() => checkout(origin, git('rev-parse', 'HEAD'), join(home.path, 'not'), options)),
    ).toMatch(/invalid_input: template link outside leads out of the template/);
    expect(existsSync(join(home.path, 'not'))).toBe(false);
  });
});
