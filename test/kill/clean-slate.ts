import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { BakeRequest, Version } from '../../src/domain/version.ts';
import { type Installation, type Part, until } from '../support/installation.ts';

/** The request once it has ended. */
export async function ended(
  installation: Installation,
  request: BakeRequest,
  timeoutMs = 90_000,
): Promise<BakeRequest> {
  const look = () => installation.registry.requests.get(request.project, request.id);
  await until(
    `request ${request.id} has ended`,
    async () => (await look()).state !== 'open',
    timeoutMs,
  ).catch(async (error: unknown) => {
    const { stage } = await look();
    throw new Error(`it stands at: ${stage}\n${installation.worker.log().slice(-4000)}`, { cause: error });
  });
  return look();
}

/** Succeeded, with exactly one image per build; and the store has the images that the registry names, and no other. */
export async function expectOneImage(installation: Installation, request: BakeRequest): Promise<Version> {
  expect(request, await logsOf(installation, request)).toMatchObject({ state: 'succeeded', failure: null });
  const version = await installation.registry.versions.get(request.versionId ?? '');
  expect(version.state).toBe('complete');
  for (const build of version.builds) {
    expect(build).toMatchObject({ state: 'done', failure: null });
    expect(build.artifacts).toHaveLength(1);
  }
  await expectStoreAsRecorded(installation);
  return version;
}

/** Both ways: no image without a record, no record of one that is not there. Another bake may be between the two at this moment. */
export async function expectStoreAsRecorded(installation: Installation): Promise<void> {
  const look = async () => ({
    recorded: await recordedImages(installation),
    stored: imagesOf(installation).toSorted(),
  });
  await until(
    'the image store has what the registry names',
    async () => {
      const { recorded, stored } = await look();
      return isDeepStrictEqual(stored, recorded);
    },
    15_000,
  ).catch(async () => {
    const { recorded, stored } = await look();
    expect(stored, 'images in the store, against those in the registry').toEqual(recorded);
  });
}

/** Image ids of all artifacts, of whatever version, that are not known to be gone. */
async function recordedImages({ database }: Installation): Promise<readonly string[]> {
  const rows = await database.store.db
    .selectFrom('artifact')
    .select('image_id')
    .where('last_known', 'not in', ['missing', 'deleted'])
    .execute();
  return rows.map((row) => row.image_id).toSorted();
}

async function logsOf({ registry }: Installation, { id }: BakeRequest): Promise<string> {
  const streams = await registry.logs.streams(id);
  const texts = await Promise.all(
    streams.map(async ({ stream, title }) => `${title}\n${(await registry.logs.read(stream, 0, 4000)).text}`),
  );
  return texts.join('\n');
}

/** Every folder of an image in the store, launchable or disabled. */
export function imagesOf({ images }: Installation): readonly string[] {
  return ['images', 'disabled'].flatMap((folder) => entries(path.join(images, folder)));
}

/** No Packer, no QEMU, no half-made file, no open ledger entry, no claim. What a dead host has in its own folder is its own. */
export async function expectNothingLeft(
  installation: Installation,
  dead: readonly Part[] = [],
): Promise<void> {
  const { registry, images } = installation;
  await until('no process is left', () => installation.strangers().length === 0, 20_000).catch(() =>
    expect(installation.strangers()).toEqual([]),
  );
  await until('every ledger entry is closed', async () => (await registry.ledger.listOpen()).length === 0);
  expect(entries(path.join(images, 'incoming'))).toEqual([]);
  expect(entries(path.join(images, 'launches'))).toEqual([]);
  for (const host of installation.hosts.filter((one) => !dead.includes(one))) {
    const left = () => attemptsOn(installation, host);
    await until(`no attempt folder is left on ${host.name}`, () => left().length === 0, 20_000).catch(() =>
      expect(left()).toEqual([]),
    );
  }
  const held = async () =>
    (await registry.claims.list(0, 10)).filter(({ subject }) =>
      /^(request|bake|test|promotion|cascade):/.test(subject),
    );
  await until('every claim is given back', async () => (await held()).length === 0).catch(async () =>
    expect(await held()).toEqual([]),
  );
}

/** Folders of attempts on a host; Packer's cache beside them is none. */
export const attemptsOn = ({ folder }: Installation, { name }: Part): readonly string[] =>
  entries(path.join(folder, name, 'host/attempts')).filter((one) => !one.startsWith('.'));

const entries = (folder: string): readonly string[] => (existsSync(folder) ? readdirSync(folder) : []);
