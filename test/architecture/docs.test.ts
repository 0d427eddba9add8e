import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildProgram } from '../../src/cli/program.ts';
import { loadClouds } from '../../src/config/load-clouds.ts';
import { describeSettings } from '../../src/config/settings.ts';
import { parseLines } from '../../src/config/parse-lines.ts';
import { failureKinds } from '../../src/domain/failure.ts';
import { routes } from '../../src/http/descriptors/routes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const skipped = new Set(['node_modules', '.git', '.tools', '.bakehouse', 'coverage']);

interface Page {
  readonly file: string;
  readonly text: string;
}

function markdown(folder: string): readonly string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : markdown(file);
    return entry.name.endsWith('.md') ? [file] : [];
  });
}

const pages: readonly Page[] = markdown('.').map((file) => ({
  file,
  text: readFileSync(path.join(root, file), 'utf8'),
}));
const page = (file: string): string => pages.find((one) => one.file === file)?.text ?? '';

/** GitHub's way to name a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchor(heading));

function brokenLinks({ file, text }: Page): readonly string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [name = '', heading] = link.split('#');
      const target = name === '' ? file : path.join(path.dirname(file), name);
      if (!existsSync(path.join(root, target))) return true;
      return heading !== undefined && !anchorsOf(page(target)).includes(heading);
    })
    .map((link) => `${file}: ${link}`);
}

const program = buildProgram();
const command = (name: string): Command | undefined => program.commands.find((one) => one.name() === name);

/** `bakehouse <word> …` in code, with the options that follow on the same line. */
function usesOf(text: string): readonly { readonly name: string; readonly options: readonly string[] }[] {
  const code = [...text.matchAll(/```[\s\S]*?```|`[^`\n]+`/g)].map(([found]) => found).join('\n');
  return [...code.matchAll(/(?:^|[\s`("]|bin\/)bakehouse ([a-z][a-z-]*)([^\n`]*)/g)].map(
    ([, name = '', rest = '']) => ({
      name,
      options: [...rest.matchAll(/ (--?[a-z][a-z-]*)/g)].map(([, option = '']) => option),
    }),
  );
}

const knownOptions = (of: Command): readonly string[] =>
  [...of.options, ...program.options]
    .flatMap(({ short, long }) => [short, long])
    .concat('-h', '--help')
    .filter((option) => option !== undefined);

describe('the pages', () => {
  it('link only to files and headings that exist', () => {
    expect(pages.length).toBeGreaterThan(15);
    expect(pages.flatMap(brokenLinks)).toEqual([]);
  });

  it('name only commands and options that the program has', () => {
    const uses = pages.flatMap(({ file, text }) => usesOf(text).map((use) => ({ file, ...use })));
    expect(uses.length).toBeGreaterThan(60);

    const wrong = uses.flatMap(({ file, name, options }) => {
      const found = command(name);
      if (found === undefined) return [`${file}: bakehouse ${name}`];
      const known = knownOptions(found);
      return options.filter((one) => !known.includes(one)).map((one) => `${file}: bakehouse ${name} ${one}`);
    });
    expect(wrong).toEqual([]);
  });

  it('name only settings that there are', () => {
    const known = describeSettings().map(({ name }) => name);
    const named = pages.flatMap(({ file, text }) =>
      [...text.matchAll(/\bBAKEHOUSE_[A-Z_]*[A-Z]\b/g)].map(([name]) => ({ file, name })),
    );

    expect(named.filter(({ name }) => !known.includes(name))).toEqual([]);
  });

  it('name only npm scripts that there are', () => {
    const manifest = readFileSync(path.join(root, 'package.json'), 'utf8');
    const scripts = [...manifest.matchAll(/^    "([a-z]+)": "node scripts/gm)].map(([, name]) => name);
    const named = pages.flatMap(({ text }) =>
      [...text.matchAll(/\bnpm run ([a-z]+)/g)].map(([, name = '']) => name),
    );

    expect(scripts).toContain('demo');
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });

  it('speak of no machine and of no registry of packages', () => {
    const foreign =
      /(?<![\w.])\/(?:work|root|tmp|Users)\/|\/home\/[a-z]+\/|\b(?:npm(?:js)\.(?:com|org)|py(?:pi|thonhosted)\.org|(?:proxy|sum)\.go(?:lang)\.org|crates\.(?:io))/;
    const ours = execFileSync('git', ['ls-files', '-z', '--', '*.md', '*.svg', 'docs'], {
      cwd: root,
      encoding: 'utf8',
    })
      .split('\0')
      .filter((file) => /\.(md|svg|json)$/.test(file));
    const files = new Set([...ours, ...pages.map(({ file }) => file)]);

    const found = [...files]
      .filter((file) => existsSync(path.join(root, file)))
      .flatMap((file) => {
        const match = foreign.exec(readFileSync(path.join(root, file), 'utf8'));
        return match === null ? [] : [`${file}: ${match[0]}`];
      });
    expect(found).toEqual([]);
  });

  it('show pictures that are small enough to load', () => {
    const images = readdirSync(path.join(root, 'docs/images'));

    expect(images).toContain('demo.svg');
    for (const image of images) {
      expect(statSync(path.join(root, 'docs/images', image)).size, image).toBeLessThan(200 * 1024);
      expect(
        pages.some(({ text }) => text.includes(`images/${image})`)),
        image,
      ).toBe(true);
    }
  });
});

describe('the guide to bakehouse.yaml', () => {
  const example = /```yaml\n([\s\S]*?)```/.exec(page('docs/bakehouse-yaml.md'))?.[1] ?? '';

  it('shows an example that is accepted', () => {
    const [document] = parseLines(example, 'bakehouse.yaml');

    expect(document?.lines.map(({ line }) => line.bucket)).toEqual(['base', 'app']);
  });

  it('shows every key that there is', () => {
    const reference = page('docs/reference/config.md');
    const keys = [...reference.matchAll(/^\| `(?:project|buckets[^`]*)`/gm)]
      .map(([row]) => /([A-Za-z]+)(?:\[\])?`$/.exec(row)?.[1] ?? '')
      .filter((key) => key !== 'buckets');

    expect(keys.length).toBeGreaterThan(30);
    for (const key of keys) expect(example, key).toMatch(new RegExp(`\\b${key}:`));
    expect(parse(example)).toHaveProperty('project');
  });
});

describe('the guide to clouds', () => {
  it('shows an example that is accepted, with every key that there is', () => {
    const example = /```yaml\n([\s\S]*?)```/.exec(page('docs/clouds.md'))?.[1] ?? '';
    const folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-guide-'));
    const file = path.join(folder, 'clouds.yaml');
    writeFileSync(file, example);
    const { aws, azure } = loadClouds(file);
    rmSync(folder, { recursive: true });
    expect(aws?.accounts).toHaveLength(2);
    expect(azure?.subscriptions).toHaveLength(2);

    const reference = page('docs/reference/config.md');
    const keys = [...reference.matchAll(/^\| `(?:aws|azure)[^`]*`/gm)].map(
      ([row]) => /([A-Za-z]+)(?:\[\])?`$/.exec(row)?.[1] ?? '',
    );
    expect(keys.length).toBeGreaterThan(25);
    for (const key of keys) expect(example, key).toMatch(new RegExp(`\\b${key}:`));
  });
});

describe('the reference', () => {
  it('has every command, setting, operation and error', () => {
    const [cli, config, http, errors] = ['cli', 'config', 'http-api', 'errors'].map((name) =>
      page(`docs/reference/${name}.md`),
    );

    for (const { name } of describeSettings()) expect(config).toContain(`\`${name}\``);
    for (const one of program.commands) expect(cli).toContain(`\n## ${one.name()}\n`);
    for (const name of Object.keys(routes)) expect(http).toContain(`\n### ${name}\n`);
    for (const code of Object.keys(failureKinds)) expect(errors).toContain(`\`${code}\``);
  });
});

describe('the table of workflows for operators', () => {
  it('shows an input for each workflow', () => {
    const index = readFileSync(path.join(root, 'src/workflows/index.ts'), 'utf8');
    const names = [...index.matchAll(/export \{ (\w+)/g)].map(([, name = '']) => name);

    expect(names.length).toBe(11);
    for (const name of names) {
      const row = new RegExp(`^\\| \`${name}\` +\\| \`(\\{.*?\\})\``, 'm').exec(page('docs/operator.md'));
      expect(row, name).not.toBeNull();
      expect(() => void JSON.parse(row?.[1] ?? ''), name).not.toThrow();
    }
  });
});
