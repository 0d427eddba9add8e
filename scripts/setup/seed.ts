/** The seed image: a small qcow2 that boots by its own boot loader; the parent of all parents in the examples. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { aptUnpack, dependencyOf, scratchFolder } from './apt.ts';
import type { SmallPrograms } from './programs.ts';
import { step } from './progress.ts';
import { makeDisk } from './seed/disk.ts';
import { kernelMetaPackage, kernelPackage, recipeDigest, seedPackages } from './seed/ingredients.ts';
import { makeRootFileSystem } from './seed/rootfs.ts';

export interface SeedImage {
  readonly path: string;
  /** `sha256:…` of the qcow2 file. */
  readonly digest: string;
}

interface Recorded extends SeedImage {
  /** Debian package → version. */
  readonly packages: Readonly<Record<string, string>>;
}

/** Makes it, or answers the one that was made by the same recipe before. */
export async function seedImage(
  toolsFolder: string,
  programs: SmallPrograms,
  qemuImg: string,
): Promise<SeedImage> {
  const recipe = await recipeDigest();
  const folder = join(toolsFolder, 'seed', recipe);
  const record = join(folder, 'seed.json');
  if (existsSync(record)) {
    const made: Recorded = JSON.parse(await readFile(record, 'utf8'));
    // Its folder may have been moved since.
    return { ...made, path: join(folder, 'seed.qcow2') };
  }
  return step('make the seed image', async () => {
    const scratch = scratchFolder(toolsFolder);
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch, { recursive: true });
    try {
      const debian = join(scratch, 'debian');
      const kernel = await dependencyOf(kernelMetaPackage, kernelPackage, scratch);
      const packages = await aptUnpack([...seedPackages, kernel], debian, scratch);
      const release = kernel.replace(/^linux-image-/, '');
      const kernelModules = join(debian, 'lib/modules', release);
      const root = join(scratch, 'root');
      await makeRootFileSystem(root, debian, kernelModules);
      const made = join(scratch, 'made');
      await mkdir(made);
      const output = join(made, 'seed.qcow2');
      const vmlinuz = join(debian, 'boot', `vmlinuz-${release}`);
      await makeDisk(
        { scratch, debian, kernel: vmlinuz, kernelModules, root, output },
        { ...programs, qemuImg },
      );
      const digest = `sha256:${createHash('sha256')
        .update(await readFile(output))
        .digest('hex')}`;
      const seed: Recorded = { path: join(folder, 'seed.qcow2'), digest, packages };
      await writeFile(join(made, 'seed.json'), `${JSON.stringify(seed, undefined, 2)}\n`);
      await rm(join(toolsFolder, 'seed'), { recursive: true, force: true });
      await mkdir(join(toolsFolder, 'seed'), { recursive: true });
      await rename(made, folder);
      return seed;
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
}
