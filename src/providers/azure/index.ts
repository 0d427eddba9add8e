/**
 * The `azure` provider: images are versions in an Azure Compute Gallery, one per region they are replicated to; test machines are virtual
 * machines in resource groups of their own.
 */
import type { BootPace, ImageProvider, Place } from '../provider.ts';
import { cleanup } from './cleanup.ts';
import { openAccounts } from './clients.ts';
import { collect } from './collect.ts';
import { distribution } from './distribution.ts';
import { doctor } from './doctor.ts';
import { deprecate, findFinished, inspect, remove, setLaunchable } from './images.ts';
import { machines } from './machines.ts';
import { defaultPollEveryMs, type AzureOptions } from './options.ts';
import { pointers } from './pointers.ts';
import { prepareBake } from './prepare-bake.ts';
import { parseLaunchSettings, parsePlaceSettings } from './settings.ts';
import { sharing, takeSharesBack } from './sharing.ts';
import { uses } from './uses.ts';

export type { AzureOptions, AzureSubscription } from './options.ts';

/** A boot takes minutes, and every look is a call. */
function bootPace({ clients }: AzureOptions): BootPace {
  const { pollEveryMs = defaultPollEveryMs } = clients ?? {};
  return { firstMs: pollEveryMs, mostMs: 8 * pollEveryMs };
}

export function createAzureProvider(options: AzureOptions): ImageProvider {
  const accounts = openAccounts(options);
  const places = options.subscriptions.flatMap(({ id, locations, callsPerSecond }) =>
    locations.map((region): Place => ({
      target: { provider: 'azure', account: id, region },
      ...(callsPerSecond === undefined ? {} : { callsPerSecond }),
    })),
  );
  return {
    code: 'azure',
    places,
    capabilities: {
      // A version stays launchable by its id for whoever may read the gallery: only deleting it, or taking that right away, blocks.
      disable: 'hides',
      deprecate: true,
      share: true,
      pointers: true,
      distribute: true,
      // Tags of a version are seen wherever the version is.
      tagShares: false,
      readDisk: false,
      hostBound: false,
    },
    builders: ['azure-arm'],
    images: {
      collect: (input, context) => collect(accounts, input, context),
      findFinished: ({ bakeId }, targets) => findFinished(accounts, bakeId, targets),
      inspect: (image) => inspect(accounts, image),
      async setLaunchable(image, launchable) {
        const state = await setLaunchable(accounts, image, launchable);
        if (!launchable) await takeSharesBack(accounts, image);
        return state;
      },
      remove: (image) => remove(accounts, image),
      uses: (image, recordedShares) =>
        uses(accounts, { allConfigured: options.allReadersConfigured === true }, image, recordedShares),
    },
    machines: machines(accounts, bootPace(options)),
    cleanup: cleanup(accounts),
    pointers: pointers(accounts),
    sharing: sharing(accounts),
    distribution: distribution(accounts),
    deprecate: (image, at) => deprecate(accounts, image, at),
    prepareBake: (bake) => prepareBake(accounts, bake),
    checkSettings(settings) {
      const { bootTimeoutMs } = parseLaunchSettings(settings);
      return { bootTimeoutMs };
    },
    checkPlaceSettings: (settings) => void parsePlaceSettings(settings),
    doctor: () => doctor(accounts),
  };
}
