/** What Packer itself says of a template: whether it reads it, and which sources it would build. */
import { Failure } from '../domain/failure.ts';
import type { DetectedPacker } from './detect.ts';
import { isAtLeast } from './detect.ts';
import type { PackerEvent } from './machine-readable.ts';
import { humanText, machineReadableParser } from './machine-readable.ts';
import type { ExpectedSource } from './outcome.ts';
import { runProgram } from './program.ts';
import { scrubber } from './scrub.ts';
import type { TemplateFacts, TemplateSourceFact } from './template-facts.ts';
import type { TemplateEntry } from './template-files.ts';

const timeoutMs = 120_000;

/**
 * The sources that Packer will build. Its word counts, where it can be had: before 1.7 `inspect` shows a renamed source
 * under its old name. A template that builds sources by an expression is known by Packer only.
 */
export async function inspectSources(
  packer: DetectedPacker,
  entry: TemplateEntry,
  environment: Readonly<Record<string, string>>,
  facts: TemplateFacts,
  chosen: readonly TemplateSourceFact[],
  secrets: readonly string[],
): Promise<readonly ExpectedSource[]> {
  const events = await askPacker(
    packer.path,
    ['inspect', '-machine-readable', entry.argument],
    entry.folder,
    environment,
    secrets,
  );
  const expected = chosen.map(({ source, builderType, target, manifestName }) => ({
    source,
    builderType,
    target,
    manifestName,
  }));
  if (facts.form === 'json' || !isAtLeast(packer.version, '1.7.0')) return expected;
  const listed = listedSources(events);
  const unseen = facts.sources.find((one) => !listed.includes(one.source));
  if (unseen !== undefined || listed.length !== facts.sources.length) {
    throw new Failure(
      'invalid_input',
      `Packer would build ${listed.join(', ') || 'nothing'}, the text of the template says ${facts.sources.map((one) => one.source).join(', ')}: list the sources of each build one by one`,
    );
  }
  return expected;
}

/**
 * Packer reads no data source while it validates, and some of its blocks refuse a value that is not known yet, as the labels of
 * `hcp_packer_registry` do: `packer build` of the same template works. True where it complained of nothing else.
 */
export function isUnknownYet(said: string): boolean {
  const errors = said.split(/^(?=Error: )/m).filter((part) => part.startsWith('Error: '));
  return errors.length > 0 && errors.every((error) => error.includes('value must be known'));
}

/** Runs Packer for a question. Throws `invalid_input` with its own words, without the secrets in them, when it refuses. */
export async function askPacker(
  path: string,
  args: readonly string[],
  cwd: string,
  environment: Readonly<Record<string, string>>,
  secrets: readonly string[],
  isNoRefusal: (said: string) => boolean = () => false,
): Promise<readonly PackerEvent[]> {
  const { stdout, stderr, exitCode } = await runProgram(path, args, { env: environment, cwd, timeoutMs });
  const parser = machineReadableParser();
  const events = [...parser.push(Buffer.from(stdout)), ...parser.end()];
  if (exitCode === 0) return events;
  const all = scrubber(secrets)(`${events.map(humanText).join('')}${stderr}`);
  const said = all.replace(/\n{2,}/g, '\n').trim();
  if (isNoRefusal(said)) return events;
  throw new Failure('invalid_input', `Packer refuses the template:\n${said || `it ended with ${exitCode}`}`);
}

/** Below each build, under `sources:`, one name a line until the next heading. */
function listedSources(events: readonly PackerEvent[]): readonly string[] {
  const lines = events
    .map(humanText)
    .join('')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const sources: string[] = [];
  let inside = false;
  for (const line of lines) {
    if (line.endsWith(':')) inside = line === 'sources:';
    else if (inside) sources.push(line);
  }
  return sources;
}
