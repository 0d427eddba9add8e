import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTemplateFolder } from '../../src/config/template-folder.ts';
import { loadTools } from '../../src/config/tools.ts';
import { type ImageLine, openGates } from '../../src/domain/image-line.ts';
import { templateDigest } from '../../src/domain/template-digest.ts';
import type { BakeRequest } from '../../src/domain/version.ts';
import type { Installation } from '../support/installation.ts';

export const by = { name: 'kill test', via: 'api' } as const;
export const project = 'default';
const examples = fileURLToPath(new URL('../../examples', import.meta.url));

/** A line whose Packer copies the seed image and sleeps: everything of a bake but the machine. */
export const slowLine = (seconds: number, over: Partial<ImageLine> = {}): Promise<ImageLine> =>
  lineOf('file', 'slow.pkr.hcl', { bucket: 'slow', variables: { seconds: String(seconds) }, ...over });

/** The example's parent on real QEMU. */
export const realLine = (over: Partial<ImageLine> = {}): Promise<ImageLine> =>
  lineOf('qemu', 'base.pkr.hcl', { bucket: 'base', ...over });

async function lineOf(folder: string, entry: string, over: Partial<ImageLine>): Promise<ImageLine> {
  const { seedImage } = loadTools();
  if (seedImage === undefined) throw new Error('the seed image is missing: run `npm run setup`');
  const { files } = await readTemplateFolder(path.join(examples, folder));
  return {
    bucket: folder,
    description: '',
    template: { kind: 'folder', path: folder, entry, digest: await templateDigest(files) },
    sources: [],
    parents: [],
    targets: [{ provider: 'qemu', account: 'local', region: 'local', launch: { memoryMb: 256 } }],
    tests: [],
    channels: [{ name: 'dev', gates: { ...openGates, tested: true } }],
    timeLimitMs: 300_000,
    endOfLifeCascades: false,
    ...over,
    variables: { seed_image: seedImage.path, ...over.variables },
  };
}

/** Applies the lines, their templates uploaded first. */
export async function apply({ registry }: Installation, ...lines: readonly ImageLine[]): Promise<void> {
  for (const folder of ['file', 'qemu']) {
    const { files } = await readTemplateFolder(path.join(examples, folder));
    await registry.lines.putTemplate({ digest: await templateDigest(files), files });
  }
  await registry.lines.apply(project, lines, by);
}

export async function ask(
  { registry }: Installation,
  bucket: string,
  kind: 'bake' | 'release' = 'bake',
  key?: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<BakeRequest> {
  const accepted = await registry.requests.accept({
    project,
    bucket,
    kind,
    variables,
    by,
    ...(key === undefined ? {} : { key }),
  });
  return accepted.request;
}
