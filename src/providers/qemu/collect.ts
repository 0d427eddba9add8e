/** From Packer's output to an image of the store: verified, copied, digested, then entered by one rename. */
import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import type { CallContext, CollectedImage, CollectInput } from '../provider.ts';
import { hasCode, ProgramError, requireSpace, translated } from './errors.ts';
import { copyWithDigest, syncFolder, writeJson } from './files.ts';
import { runProgram } from './program.ts';
import { fileName, moveInto, type LocatedImage, type Store, type StoredImage } from './store.ts';
import type { QemuTools } from './tools.ts';

/** Room for the small files beside the disk. */
const spareBytes = 1024 * 1024;
const beatEveryMs = 2_000;

export async function collect(
  store: Store,
  tools: QemuTools,
  input: CollectInput,
  context: CallContext,
): Promise<readonly CollectedImage[]> {
  const [target, ...others] = input.targets;
  if (target === undefined || others.length > 0) {
    throw new Failure(
      'unsupported',
      `qemu: the image store is one place: name one qemu target, not ${input.targets.length}`,
    );
  }
  const imageId = fileName(input.mark.imageName);
  const before = await store.locate(imageId);
  const located =
    before === undefined ? await enter(store, tools, imageId, input, context) : checkSame(before, input);
  const { digest, sizeBytes } = located.image;
  return [{ target, imageId, digest, sizeBytes }];
}

/** The name belongs to one source of one bake; whichever attempt made it, it is that bake's image. */
function checkSame(there: LocatedImage, input: CollectInput): LocatedImage {
  const { bakeId, source, imageId } = there.image;
  if (bakeId === input.mark.bakeId && source === input.artifact.source) return there;
  throw new Failure(
    'already_exists',
    `qemu: image ${imageId} is in the store already, made by ${source} of bake ${bakeId}: give ${input.artifact.source} of bake ${input.mark.bakeId} an image name of its own`,
  );
}

async function enter(
  store: Store,
  tools: QemuTools,
  imageId: string,
  input: CollectInput,
  context: CallContext,
): Promise<LocatedImage> {
  const { mark, artifact } = input;
  const disk = diskOf(input);
  const sizeBytes = await sizeOf(disk, artifact.source);
  const virtualSizeBytes = await verify(tools, disk, context.signal);
  return translated(
    `cannot collect image ${imageId}`,
    store.folder,
    async () => {
      await store.prepare();
      await requireSpace(store.folder, sizeBytes + spareBytes, `cannot collect image ${imageId}`);
      const { bakeId, attemptId } = mark;
      const work = await store.beginWork(attemptId, { bakeId, attemptId });
      try {
        const copy = await copyWithDigest(disk, join(work, 'disk.qcow2'), progress(context));
        const image: StoredImage = {
          imageId,
          imageName: mark.imageName,
          bakeId,
          attemptId,
          source: artifact.source,
          ...copy,
          virtualSizeBytes,
          createdAt: new Date().toISOString(),
        };
        await writeJson(join(work, 'image.json'), image);
        // From here on for everybody who may read the store.
        await chmod(work, 0o755);
        await syncFolder(work);
        if (!(await input.stillCurrent())) {
          throw new Failure(
            'conflict',
            `qemu: attempt ${attemptId} of bake ${bakeId} is no longer current: its image ${imageId} was not entered into the store`,
          );
        }
        await moveInto(work, store.path('images', imageId));
      } finally {
        await store.discard(work);
      }
      return settle(store, imageId, input);
    },
    sizeBytes + spareBytes,
  );
}

/** What is in the store now: ours, or that of another host that was quicker. */
async function settle(store: Store, imageId: string, input: CollectInput): Promise<LocatedImage> {
  // An attempt as late as this can meet an image that was disabled meanwhile: that one stays the only one.
  if (await store.isDouble(imageId)) await store.discard(store.path('images', imageId));
  const there = await store.locate(imageId);
  if (there === undefined)
    throw new Failure('conflict', `qemu: image ${imageId} was removed while it was collected`);
  return checkSame(there, input);
}

function progress(context: CallContext): { signal: AbortSignal; copied(bytes: number): void } {
  let last = 0;
  return {
    signal: context.signal,
    copied(bytes) {
      if (performance.now() - last < beatEveryMs) return;
      last = performance.now();
      context.beat({ phase: 'copying', bytes });
    },
  };
}

function diskOf({ artifact }: CollectInput): string {
  const [disk, ...others] = artifact.files;
  if (disk === undefined || others.length > 0) {
    throw new Failure(
      'bake_failed',
      `qemu: ${artifact.source} made ${artifact.files.length} files; an image is exactly one qcow2 disk. Set format = "qcow2" and drop additional disks`,
    );
  }
  return disk;
}

async function sizeOf(disk: string, source: string): Promise<number> {
  try {
    return (await stat(disk)).size;
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    throw new Failure(
      'bake_failed',
      `qemu: the manifest of ${source} names ${disk}, which is not there: let the artifacts go to var.output_directory`,
    );
  }
}

interface DiskInfo {
  readonly format: string;
  readonly 'virtual-size': number;
  readonly 'backing-filename'?: string;
  readonly encrypted?: boolean;
  readonly 'format-specific'?: { readonly data?: { readonly 'data-file'?: string } };
}

/** Standalone, whole qcow2; answers the size that the guest sees. */
async function verify(tools: QemuTools, disk: string, signal: AbortSignal): Promise<number> {
  const bad = (why: string): Failure =>
    new Failure('bake_failed', `qemu: ${disk} cannot become an image: ${why}`);
  try {
    const info: DiskInfo = JSON.parse(
      await runProgram(tools, 'qemuImg', ['info', '--output=json', disk], { signal }),
    );
    if (info.format !== 'qcow2') throw bad(`its format is ${info.format}; set format = "qcow2"`);
    const backing = info['backing-filename'];
    if (backing !== undefined) throw bad(`it needs ${backing}; set use_backing_file = false`);
    if (info['format-specific']?.data?.['data-file'] !== undefined) throw bad('its data is in another file');
    if (info.encrypted === true) throw bad('it is encrypted');
    // 3: only leaked clusters, which cost space and harm nothing.
    await runProgram(tools, 'qemuImg', ['check', '-q', '-f', 'qcow2', disk], { signal, accept: [3] });
    return info['virtual-size'];
  } catch (error) {
    if (error instanceof ProgramError) throw bad(error.stderr.trim());
    throw error;
  }
}
