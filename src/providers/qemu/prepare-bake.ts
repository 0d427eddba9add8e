/** What a bake of a local image needs before Packer starts: a key that only this bake has, and the disk that tells it. */
import { mkdir } from 'node:fs/promises';
import type { BakeMark, BakePreparation } from '../provider.ts';
import { toolMissing, translated } from './errors.ts';
import { makeSeedFiles } from './nocloud.ts';
import type { Program, QemuTools } from './tools.ts';

/** What the image is booted and collected with: a bake that cannot end well is refused before Packer starts. */
const needed: readonly Program[] = ['qemuSystem', 'qemuImg', 'mformat', 'mcopy'];

export async function prepareBake(
  tools: QemuTools,
  mark: BakeMark,
  folder: string,
): Promise<BakePreparation> {
  const missing = needed.find((tool) => tools[tool] === undefined);
  if (missing !== undefined) throw toolMissing(missing);
  return translated(`cannot prepare bake ${mark.bakeId}`, folder, async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { keyFile, volume, publicKey } = await makeSeedFiles(tools, folder, mark.attemptId);
    const [, body = publicKey] = publicKey.split(' ');
    return {
      variables: {
        ssh_private_key_file: keyFile,
        seed_disk: volume,
        ...(tools.seedImage === undefined ? {} : { seed_image: tools.seedImage.path }),
      },
      mustBeGone: [body],
    };
  });
}
