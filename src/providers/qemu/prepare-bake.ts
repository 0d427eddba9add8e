/** What a bake of a local image needs before Packer starts: a key that only this bake has, and the disk that tells it. */
import { mkdir } from 'node:fs/promises';
import type { BakeMark, BakePreparation } from '../provider.ts';
import { translated } from './errors.ts';
import { makeSeedFiles } from './nocloud.ts';
import type { QemuTools } from './tools.ts';

export async function prepareBake(
  tools: QemuTools,
  mark: BakeMark,
  folder: string,
): Promise<BakePreparation> {
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
