/** Which Packer sources a bake has, read from the line or, where it names no sources, from the uploaded template's text. */
import type { ImageLine, TemplatePin } from '../domain/image-line.ts';
import type { Lines } from '../registry/contract/lines.ts';

/** The template files of one folder by name, read for their sources. */
export type ReadTemplate = (
  texts: Readonly<Record<string, string>>,
) => Promise<{ readonly sources: readonly { readonly source: string }[] }>;

const isTemplate = (name: string) => /\.pkr\.(hcl|json)$/.test(name);

export async function plannedSources(
  line: ImageLine,
  pin: TemplatePin,
  readTemplate: ReadTemplate,
  lines: Pick<Lines, 'getTemplate'>,
): Promise<readonly string[]> {
  if (line.sources.length > 0) return line.sources;
  // A host brings a commit itself; until then nothing is known of it.
  if (pin.kind === 'git') return [];
  const { files } = await lines.getTemplate(pin.digest);
  const entry = pin.entry.replace(/^\.?\/?$|^\.\//, '');
  const folder = entry === '' ? '' : `${entry}/`;
  const inFolder = (name: string) =>
    name.startsWith(folder) && !name.slice(folder.length).includes('/') && isTemplate(name);
  const chosen = Object.entries(files).filter(([name]) => name === entry || inFolder(name));
  const decoder = new TextDecoder();
  const texts = Object.fromEntries(chosen.map(([name, content]) => [name, decoder.decode(content)]));
  return (await readTemplate(texts)).sources.map(({ source }) => source);
}
