/**
 * To another region: a replica of the same version. To another subscription: a version of its gallery, made from this one.
 * https://learn.microsoft.com/azure/virtual-machines/azure-compute-gallery#replication
 */
import type { TargetRegion } from '@azure/arm-compute';
import type { CallContext, CollectedImage, CopyInput, Distribution } from '../provider.ts';
import type { Account, Accounts } from './clients.ts';
import { collected, marks, versionOf } from './collect.ts';
import { ensureDefinition, readDefinition } from './definitions.ts';
import { imageMissing, locate, type Located } from './images.ts';
import { sameRegion, versionPath } from './ids.ts';
import { tag } from './names.ts';
import { parsePlaceSettings, type PlaceSettings } from './settings.ts';
import { bring, findVersion, regionsOf } from './versions.ts';

export function distribution(accounts: Accounts): Distribution {
  return {
    async copy(input, context) {
      const settings = parsePlaceSettings(input.settings);
      const account = accounts.of(input.target);
      const from = locate(accounts, input.source);
      if (from === undefined) throw imageMissing(input.source.imageId);
      context.beat(context.lastBeat ?? { phase: 'copy' });
      return account === from.account
        ? replicate(from, input, settings, context)
        : duplicate(account, from, input, settings, context);
    },
  };
}

async function replicate(
  { account, id }: Located,
  { copyId, source, target }: CopyInput,
  settings: PlaceSettings,
  context: CallContext,
): Promise<CollectedImage> {
  const version = await bring(
    account,
    id,
    {
      region: target.region,
      async body(there) {
        const origin = there ?? (await findVersion(account, id));
        if (origin === undefined) throw imageMissing(source.imageId);
        const others = regionsOf(origin).filter(({ name }) => !sameRegion(name, target.region));
        const targetRegions = [...others, regionOf(account, target.region, settings)];
        return {
          ...origin,
          tags: { ...origin.tags, [tag.copy(target.region)]: copyId },
          publishingProfile: { ...origin.publishingProfile, targetRegions },
        };
      },
    },
    context,
  );
  return collected(account, target.region, id, version);
}

async function duplicate(
  account: Account,
  from: Located,
  { copyId, mark, source, target }: CopyInput,
  settings: PlaceSettings,
  context: CallContext,
): Promise<CollectedImage> {
  const id = versionOf(account, mark);
  const version = await bring(
    account,
    id,
    {
      region: target.region,
      async body(there) {
        // At home elsewhere in that subscription already: then this is one more region of it.
        const home = there?.location ?? target.region;
        const origin = await findVersion(from.account, from.id);
        if (origin === undefined) throw imageMissing(source.imageId);
        const traits = await readDefinition(from.account, from.id);
        const { osType, osState, hyperVGeneration, architecture, purchasePlan, features } = traits ?? {};
        await ensureDefinition(account, id, home, {
          osType: osType ?? 'Linux',
          osState: osState ?? 'Generalized',
          ...(hyperVGeneration === undefined ? {} : { hyperVGeneration }),
          ...(architecture === undefined ? {} : { architecture }),
          ...(purchasePlan === undefined ? {} : { purchasePlan }),
          ...(features === undefined ? {} : { features }),
        });
        const others = there === undefined ? [] : regionsOf(there);
        const kept = others.filter(({ name }) => !sameRegion(name, target.region));
        return {
          ...there,
          location: home,
          tags: {
            ...there?.tags,
            ...marks(mark, origin.tags?.[tag.source] ?? ''),
            [tag.copy(target.region)]: copyId,
          },
          publishingProfile: {
            ...there?.publishingProfile,
            targetRegions: [...kept, regionOf(account, target.region, settings)],
          },
          storageProfile: { source: { id: versionPath(from.id) } },
        };
      },
    },
    context,
  );
  return collected(account, target.region, id, version);
}

function regionOf({ subscription }: Account, name: string, settings: PlaceSettings): TargetRegion {
  const { replicaCount, storageAccountType, diskEncryptionSetId } = settings;
  return {
    name,
    regionalReplicaCount: replicaCount,
    excludeFromLatest: subscription.pointerChannel !== undefined,
    ...(storageAccountType === undefined ? {} : { storageAccountType }),
    ...(diskEncryptionSetId === undefined ? {} : { encryption: { osDiskImage: { diskEncryptionSetId } } }),
  };
}
