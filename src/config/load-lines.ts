/** `bakehouse.yaml` with its template folders → image lines, and the content to upload. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Failure } from '../domain/failure.ts';
import type { ImageLine, TemplateSource } from '../domain/image-line.ts';
import { templateDigest } from '../domain/template-digest.ts';
import type { TemplateFiles } from '../domain/template-digest.ts';
import { parseLines } from './parse-lines.ts';
import type { ParsedLine } from './parse-lines.ts';
import { readTemplateFolder } from './template-folder.ts';

export interface LoadedLines {
  readonly projects: readonly { readonly project: string; readonly lines: readonly ImageLine[] }[];
  /** Folders by digest, for those lines whose template is a folder. */
  readonly templates: ReadonlyMap<string, TemplateFiles>;
}

/** Throws `invalid_input` with one complaint a line. `project` is for documents that name none. */
export async function loadLines(file: string, project: string): Promise<LoadedLines> {
  const absolute = path.resolve(file);
  const documents = parseLines(readText(file), file);
  const templates = new Map<string, TemplateFiles>();
  const projects = new Map<string, ImageLine[]>();
  for (const document of documents) {
    const owner = document.project ?? project;
    const lines: ImageLine[] = [];
    for (const parsed of document.lines) {
      lines.push({ ...parsed.line, template: await resolveTemplate(parsed, absolute, templates) });
    }
    const before = projects.get(owner) ?? [];
    refuseTwice(file, owner, [...before, ...lines]);
    projects.set(owner, [...before, ...lines]);
  }
  return {
    projects: [...projects].map(([name, lines]) => ({ project: name, lines })),
    templates,
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new Failure(
      'invalid_input',
      `${file} cannot be read: ${cause}; write one, or name it with --file`,
      { cause: error },
    );
  }
}

/** One document may name the project that another one takes from the command. */
function refuseTwice(file: string, project: string, lines: readonly ImageLine[]): void {
  const names = lines.map((line) => line.bucket);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) {
    throw new Failure(
      'invalid_input',
      `${file}: two documents describe bucket ${twice} of project ${project}`,
    );
  }
}

async function resolveTemplate(
  { template, templateAt }: ParsedLine,
  file: string,
  templates: Map<string, TemplateFiles>,
): Promise<TemplateSource> {
  if (template.kind === 'git') {
    const { repository, ref, entry = '.' } = template;
    return { kind: 'git', repository, ref, entry };
  }
  try {
    const folder = path.resolve(path.dirname(file), template.path);
    const read = await readTemplateFolder(folder);
    const entry = template.entry ?? read.entry;
    const files = without(
      read.files,
      path.relative(read.entry === '.' ? folder : path.dirname(folder), file),
    );
    if (entry !== '.' && !Object.hasOwn(files, entry)) {
      throw new Failure('invalid_input', `there is no ${entry} in ${folder}`);
    }
    const digest = await templateDigest(files);
    templates.set(digest, files);
    return { kind: 'folder', path: template.path, entry, digest };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new Failure('invalid_input', `${templateAt}: ${cause}`, { cause: error });
  }
}

/** The file that describes the lines may lie beside a template; its changes are not the template's. */
function without(files: TemplateFiles, name: string): TemplateFiles {
  return Object.fromEntries(Object.entries(files).filter(([one]) => one !== name));
}
