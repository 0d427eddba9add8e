/** Which Packer would bake each line of the `bakehouse.yaml` of this folder, and which plugins have to be installed first. */
import { existsSync } from 'node:fs';
import { childEnvironment } from '../../config/settings.ts';
import { loadLines } from '../../config/load-lines.ts';
import type { Tools } from '../../config/tools.ts';
import { isFailure } from '../../domain/failure.ts';
import type { ImageLine } from '../../domain/image-line.ts';
import type { TemplateFiles } from '../../domain/template-digest.ts';
import { choosePacker } from '../../packer/choose-packer.ts';
import { refuseUnready } from '../../packer/publishing.ts';
import { type DetectedPacker, detectPackers } from '../../packer/detect.ts';
import { chosenSources } from '../../packer/template-contract.ts';
import { readTemplate } from '../../packer/template-facts.ts';

interface LineFinding {
  readonly check: string;
  readonly ok: boolean;
  readonly needed: boolean;
  readonly detail: string;
}

const file = 'bakehouse.yaml';

/** Nothing where the folder has no lines. What is missing for a line is told: another host may bake it. */
export async function lineFindings(tools: Tools, project: string): Promise<readonly LineFinding[]> {
  if (!existsSync(file)) return [];
  try {
    const { projects, templates } = await loadLines(file, project);
    const packers = await detectPackers(tools.packers, childEnvironment({}));
    const lines = projects.flatMap((one) => one.lines);
    return await Promise.all(
      lines.map(async (line) => {
        const check = `line ${line.bucket}`;
        try {
          return told(check, true, await packerOf(line, templates, packers));
        } catch (error) {
          if (!isFailure(error)) throw error;
          return told(check, false, error.message);
        }
      }),
    );
  } catch (error) {
    if (!isFailure(error)) throw error;
    return [told(file, false, error.message)];
  }
}

const told = (check: string, ok: boolean, detail: string): LineFinding => ({
  check,
  ok,
  needed: false,
  detail,
});

async function packerOf(
  { template, sources: only }: ImageLine,
  templates: ReadonlyMap<string, TemplateFiles>,
  packers: readonly DetectedPacker[],
): Promise<string> {
  if (template.kind === 'git') return 'its template is in git: the first step of a bake looks at it';
  const facts = await readTemplate(textsOf(templates.get(template.digest) ?? {}, template.entry));
  const builders = chosenSources(facts, only).map(({ builderType }) => builderType);
  refuseUnready(facts, builders);
  const modern = facts.requiredPlugins.length > 0;
  const { path, version } = choosePacker(packers, {
    builders,
    modern,
    hcpRegistry: facts.hcpRegistry,
    hcpData: facts.hcpData,
  });
  return `${[...new Set(builders)].join(', ')}: Packer ${version} at ${path}`;
}

/** The files that Packer would read: the entry, or the HCL ones of the folder that it names. */
function textsOf(files: TemplateFiles, entry: string): Readonly<Record<string, string>> {
  const folder = entry === '.' ? '' : `${entry.replace(/\/$/, '')}/`;
  const isIn = (name: string) =>
    name.startsWith(folder) && /^[^/]+\.pkr\.(hcl|json)$/.test(name.slice(folder.length));
  const chosen = Object.entries(files).filter(([name]) => name === entry || isIn(name));
  return Object.fromEntries(chosen.map(([name, content]) => [name, new TextDecoder().decode(content)]));
}
