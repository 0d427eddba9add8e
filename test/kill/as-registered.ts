/** A test cloud against the registry: it holds what the registry says, and nothing more. */
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { type Target, targetKey } from '../../src/domain/target.ts';
import type { CloudPlaces } from '../support/clouds/places.ts';
import { artifactsOf, project } from '../support/clouds/seeded.ts';
import { until } from '../support/installation.ts';
import type { CloudInstallation } from './cloud-installation.ts';

/** Everything there, in every place. What is on its way out is waited for. */
export async function expectAsRegistered(at: CloudInstallation, cloud: CloudPlaces): Promise<void> {
  const look = async () => [await everythingIn(at, cloud), await saidBy(at, cloud)] as const;
  const isSo = async () => isDeepStrictEqual(...(await look()));
  await until('the cloud holds what the registry says', isSo, 30_000).catch(async () => {
    const [there, said] = await look();
    expect(there).toEqual(said);
  });
}

/** Beside it what is recorded as written there, which is neither what is wanted nor what is there. */
async function everythingIn(at: CloudInstallation, cloud: CloudPlaces) {
  const { images, storage, others } = await cloud.everything();
  const published = (await channelsOf(at)).flatMap((one) => one.published);
  const granted = await cloud.granted();
  return {
    images,
    storage: storage.length,
    others,
    ...granted,
    published: published.toSorted(),
    open: await at.open(),
  };
}

async function saidBy(at: CloudInstallation, { blocked, reached }: CloudPlaces) {
  const { database, registry } = at;
  const images: string[] = [];
  const shares: string[] = [];
  for (const { id: versionId } of await database.store.db.selectFrom('version').select('id').execute()) {
    const version = await registry.versions.get(versionId);
    const receipts = await registry.enforcement.receipts(project, { versionId, limit: 1_000 });
    for (const { id, image, lastKnown } of artifactsOf(version)) {
      if (lastKnown === 'missing' || lastKnown === 'deleted') continue;
      images.push(`${named(image)} ${lastKnown === 'disabled' ? blocked : 'available'}`);
      const isShared = receipts.some(
        ({ artifactId, action, outcome }) => artifactId === id && action === 'share' && outcome === 'done',
      );
      if (!isShared || lastKnown === 'disabled' || version.requestId === null) continue;
      const { line } = await registry.requests.pins(version.requestId);
      const wanted = line.targets.find((target) => targetKey(target) === targetKey(image.target))?.shareWith;
      shares.push(...(wanted ?? []).map((share) => `${named(image)} with ${share}`));
    }
  }
  const channels = (await channelsOf(at)).flatMap((one) => one.wanted).toSorted();
  return {
    images: images.toSorted(),
    // One snapshot is behind each image, where storage shows.
    storage: reached.code === 'aws' ? images.length : 0,
    others: [],
    channels,
    shares: shares.toSorted(),
    published: channels,
    open: [],
  };
}

/** As `granted` writes them: what each channel is to show, and what is recorded as shown. */
async function channelsOf({ database, registry }: CloudInstallation) {
  const buckets = await database.store.db.selectFrom('bucket').select('name').execute();
  const channels = await Promise.all(buckets.map(({ name }) => registry.channels.list(project, name)));
  return Promise.all(
    channels.flat().map(async ({ id, bucket, name, effective }) => {
      const line = ({ target, imageId }: { target: Target; imageId: string }) =>
        `${placeOf(target)} ${bucket}/${name} ${imageId}`;
      const { versionId } = effective;
      const isOurs = versionId !== null && name !== 'latest';
      const wanted = isOurs ? artifactsOf(await registry.versions.get(versionId)) : [];
      const published = await registry.pointers.published(id);
      return {
        wanted: wanted.map(({ image }) => line(image)),
        published: published.flatMap(({ target, imageId }) =>
          imageId === null ? [] : [line({ target, imageId })],
        ),
      };
    }),
  );
}

const placeOf = ({ account, region }: Target) => `${account}/${region}`;
const named = ({ target, imageId }: { target: Target; imageId: string }) => `${placeOf(target)} ${imageId}`;
