/** The folder of a machine, made whole before it gets its name: of many callers with one launch id, one folder stays. */
import { join } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import type { LaunchInput } from '../provider.ts';
import { requireSpace } from './errors.ts';
import { readJson, writeJson } from './files.ts';
import { imageMissing } from './images.ts';
import type { LaunchRecord } from './launch-record.ts';
import { makeSeedFiles } from './nocloud.ts';
import { runProgram } from './program.ts';
import { parseLaunchSettings } from './settings.ts';
import { exists, fileName, moveInto, type LocatedImage, type Store } from './store.ts';
import type { QemuTools } from './tools.ts';

/** An overlay starts empty; what a test writes rarely needs more. */
const overlayBytes = 32 * 1024 * 1024;

export async function prepareLaunch(
  store: Store,
  tools: QemuTools,
  input: LaunchInput,
  signal: AbortSignal,
): Promise<LaunchRecord> {
  const settings = parseLaunchSettings(input.settings);
  const { launchId } = input;
  const folder = store.path('launches', fileName(launchId));
  const there = await readJson<LaunchRecord>(join(folder, 'launch.json'));
  if (there !== undefined) return sameLaunch(there, input);
  await store.prepare();
  if (await exists(store.path('ended', fileName(launchId)))) {
    throw new Failure('illegal_state', `qemu: launch ${launchId} was ended: launch again under a new id`);
  }
  const { disk } = await launchable(store, input);
  await requireSpace(store.folder, overlayBytes, `cannot launch ${input.image.imageId}`);
  const record: LaunchRecord = {
    launchId,
    imageId: input.image.imageId,
    settings,
    timeLimitMs: input.timeLimitMs,
  };
  const work = await store.beginWork(launchId, { launchId });
  try {
    // Without the format QEMU would guess it, and refuses to.
    await runProgram(
      tools,
      'qemuImg',
      ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', disk, 'overlay.qcow2'],
      {
        cwd: work,
        signal,
      },
    );
    await makeSeedFiles(tools, work, launchId);
    await writeJson(join(work, 'launch.json'), record);
    // Disabled meanwhile: the overlay would lead nowhere.
    await launchable(store, input);
    if (await moveInto(work, folder)) return record;
  } finally {
    await store.discard(work);
  }
  const winner = await readJson<LaunchRecord>(join(folder, 'launch.json'));
  if (winner === undefined)
    throw new Failure('conflict', `qemu: launch ${launchId} was terminated while it began`);
  return sameLaunch(winner, input);
}

function sameLaunch(there: LaunchRecord, input: LaunchInput): LaunchRecord {
  if (there.imageId === input.image.imageId) return there;
  throw new Failure(
    'already_exists',
    `qemu: launch ${input.launchId} is a machine of image ${there.imageId}, not of ${input.image.imageId}: use another launch id`,
  );
}

async function launchable(store: Store, { image }: LaunchInput): Promise<LocatedImage> {
  const located = await store.locate(image.imageId);
  if (located === undefined) throw imageMissing(store, image.imageId);
  if (!located.enabled) {
    throw new Failure(
      'illegal_state',
      `qemu: image ${image.imageId} is disabled, because its version was revoked or retired: the version's receipts say when and why. Restore the version to launch it again`,
    );
  }
  return located;
}
