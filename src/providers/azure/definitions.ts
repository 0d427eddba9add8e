/** Image definitions: one per image line, made when its first image is collected. */
import type { GalleryImage, Image } from '@azure/arm-compute';
import { Failure } from '../../domain/failure.ts';
import type { Account } from './clients.ts';
import { callFresh, callOrAbsent } from './errors.ts';
import { definitionPath, type VersionId } from './ids.ts';
import { finish } from './lro.ts';

export type DefinitionId = Omit<VersionId, 'version'>;
/** What cannot be changed later, and what every version of the definition shares. */
export type Traits = Pick<
  GalleryImage,
  'osType' | 'osState' | 'hyperVGeneration' | 'architecture' | 'purchasePlan' | 'features'
>;

export async function readDefinition(account: Account, id: DefinitionId): Promise<GalleryImage | undefined> {
  const { resourceGroup, gallery, definition } = id;
  return callOrAbsent(`read definition ${definitionPath(id)}`, () =>
    account.compute.galleryImages.get(resourceGroup, gallery, definition),
  );
}

/** Throws `bake_failed` when it is there for another kind of image. */
export async function ensureDefinition(
  account: Account,
  id: DefinitionId,
  location: string,
  traits: Traits,
): Promise<void> {
  const there = await readDefinition(account, id);
  if (there !== undefined) {
    const wrong = (['osType', 'osState', 'hyperVGeneration', 'architecture'] as const).find(
      (key) => there[key] !== undefined && traits[key] !== undefined && there[key] !== traits[key],
    );
    if (wrong === undefined && planOf(there) === planOf(traits)) return;
    if (wrong === undefined) {
      throw new Failure(
        'bake_failed',
        `azure: ${definitionPath(id)} has the purchase plan ${planOf(there)} and the image that was made has ${planOf(traits)}, and a machine is launched with the plan of the definition: give the image a line of its own`,
      );
    }
    throw new Failure(
      'bake_failed',
      `azure: ${definitionPath(id)} has ${wrong} ${there[wrong]} and the image that was made has ${traits[wrong]}: give the image a line of its own, or build it with ${wrong} ${there[wrong]}`,
    );
  }
  await writeDefinition(account, id, {
    location,
    ...traits,
    // Publisher, offer and sku together are a name of their own within the gallery.
    identifier: { publisher: 'bakehouse', offer: id.gallery, sku: id.definition },
  });
}

function planOf({ purchasePlan: { publisher, product, name } = {} }: Traits): string {
  return name === undefined ? 'none' : `${publisher}/${product}/${name}`;
}

async function writeDefinition(
  account: Account,
  id: DefinitionId,
  body: GalleryImage,
): Promise<GalleryImage> {
  const { resourceGroup, gallery, definition } = id;
  const options = { updateIntervalInMs: account.pollEveryMs };
  const what = `write definition ${definitionPath(id)}`;
  const { galleryImages } = account.compute;
  await callFresh(what, () =>
    finish(what, galleryImages.createOrUpdate(resourceGroup, gallery, definition, body, options)),
  );
  return callFresh(what, () => galleryImages.get(resourceGroup, gallery, definition));
}

/** Packer's azure-arm writes the purchase plan of its source (`plan_info`) as tags of the image. */
export function traitsOf({ storageProfile, hyperVGeneration, tags = {} }: Image): Traits {
  const { osType, osState } = storageProfile?.osDisk ?? {};
  const { PlanInfo: name, PlanPublisher: publisher, PlanProduct: product } = tags;
  return {
    osType: osType ?? 'Linux',
    osState: osState ?? 'Generalized',
    hyperVGeneration: hyperVGeneration === 'V2' ? 'V2' : 'V1',
    // Said, because Azure's own choice for the second generation has changed: a managed image knows of no other type.
    ...(hyperVGeneration === 'V2' ? { features: [{ name: 'SecurityType', value: 'Standard' }] } : {}),
    ...(name === undefined || publisher === undefined || product === undefined
      ? {}
      : { purchasePlan: { name, publisher, product } }),
  };
}
