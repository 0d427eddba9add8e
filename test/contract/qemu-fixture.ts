/** The `qemu` provider on a store of its own, with the real QEMU, supervisor and seed image. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadTools } from '../../src/config/tools.ts';
import { supervisor } from '../../src/packer/supervisor/supervisor.ts';
import type { BakeMark, ImageProvider, PackerArtifact } from '../../src/providers/provider.ts';
import { createQemuProvider } from '../../src/providers/qemu/index.ts';
import type { ProviderFixture } from './provider-fixture.ts';

export const target = { provider: 'qemu', account: 'local', region: 'local' };
export const tools = loadTools();

export function openProvider(storeDir: string): ImageProvider {
  return createQemuProvider({ storeDir, tools, supervise: supervisor });
}

export function seedImage(): string {
  if (tools.seedImage === undefined) throw new Error('no seed image: run `npm run setup`');
  return tools.seedImage.path;
}

export function qemuImg(...args: readonly string[]): void {
  execFileSync(tools.qemuImg?.path ?? 'qemu-img', args, { stdio: 'pipe' });
}

/** As the manifest of a qemu source names it. */
export function artifactOf(disk: string): PackerArtifact {
  return { source: 'qemu.base', builderType: 'qemu', artifactId: 'VM', files: [disk] };
}

export interface QemuFixture extends ProviderFixture {
  readonly storeDir: string;
  readonly scratch: string;
}

export function openQemu(): QemuFixture {
  const scratch = mkdtempSync(path.join(tmpdir(), 'bakehouse-contract-'));
  const storeDir = path.join(scratch, 'store');
  const provider = openProvider(storeDir);
  const output = (mark: BakeMark): string => {
    mkdirSync(path.join(scratch, 'output'), { recursive: true });
    return path.join(scratch, 'output', `${mark.attemptId}.qcow2`);
  };
  const fromRaw = (mark: BakeMark, content: Buffer): Promise<PackerArtifact> => {
    const disk = output(mark);
    writeFileSync(`${disk}.raw`, content);
    qemuImg('convert', '-f', 'raw', '-O', 'qcow2', `${disk}.raw`, disk);
    return Promise.resolve(artifactOf(disk));
  };
  return {
    provider,
    target,
    digests: true,
    artifactLiesInPlace: false,
    storeDir,
    scratch,
    artifact(mark) {
      copyFileSync(seedImage(), output(mark));
      return Promise.resolve(artifactOf(output(mark)));
    },
    unbootable: (mark) => fromRaw(mark, Buffer.alloc(1024 * 1024)),
    artifactWith(mark, text) {
      // Across the border of two of the chunks that are read at once, behind a hole.
      const content = Buffer.alloc(12 * 1024 * 1024);
      content.fill(7, 4 * 1024 * 1024 - 65_536, 9 * 1024 * 1024);
      content.write(text, 8 * 1024 * 1024 - 65_536 - Math.floor(text.length / 2));
      return fromRaw(mark, content);
    },
    settings: { memoryMb: 192 },
    shortBoot: { memoryMb: 64, bootTimeoutMs: 1_500 },
    wrongSetting: { settings: { memory: 192 }, key: 'memory' },
    folder: (name) => path.join(scratch, name),
    async dispose() {
      const launches = path.join(storeDir, 'launches');
      for (const name of readdirSync(launches)) await provider.machines.terminate(name, target);
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
