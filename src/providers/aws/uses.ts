/** Who uses an image: in every account of the installation, and in every account that it is or was shared with. */
import type { ImageRef } from '../../domain/target.ts';
import type { UsesReport } from '../provider.ts';
import type { Cloud, Place } from './cloud.ts';
import { findImage, isImageId } from './describe.ts';
import { inventory } from './inventories.ts';
import { read } from './sharing.ts';

/** DisableImage takes the launch permissions away and nothing that was launched before, so the shares of now are not all there were. */
export async function uses(
  cloud: Cloud,
  image: ImageRef,
  recordedShares: readonly string[] = [],
): Promise<UsesReport> {
  const asOf = new Date().toISOString();
  const owner = cloud.at(image.target);
  if (!isImageId(image.imageId)) return { complete: true, asOf, uses: [] };
  const found = await findImage(owner.ec2, image.imageId);
  const { region } = image.target;
  const reached = new Map<string, Place>(cloud.everywhere(region).map((one) => [one.account.id, one]));
  reached.set(owner.account.id, owner);
  const notReached: string[] = [];
  for (const share of new Set([...recordedShares, ...(await read(cloud, image))])) {
    const place = cloud.inAccount(share, region);
    if (place === undefined) notReached.push(share);
    else reached.set(share, place);
  }
  const lists = await Promise.all(
    [...reached.values()].map(async (place) => {
      const seen = await inventory(place, image.imageId);
      return {
        uses: seen.uses.map(({ kind, id }) => ({ kind, id, target: place.target })),
        unreadable: seen.unreadable.map((what) => `${what} in account ${place.account.id}`),
      };
    }),
  );
  const unreadable = lists.flatMap((list) => list.unreadable);
  const obstacles = [
    ...(notReached.length === 0
      ? []
      : [
          `the image is or was shared with ${notReached.join(', ')}, where this installation cannot look: add the accounts to the provider, or delete it by hand once nobody uses it`,
        ]),
    ...(unreadable.length === 0 ? [] : [`it is not known what these launch: ${unreadable.join('; ')}`]),
  ];
  return {
    complete: obstacles.length === 0,
    asOf,
    uses: lists.flatMap((list) => list.uses),
    ...(obstacles.length === 0 ? {} : { why: obstacles.join('; ') }),
    ...(found?.LastLaunchedTime === undefined || found.LastLaunchedTime === ''
      ? {}
      : { lastLaunchedAt: new Date(found.LastLaunchedTime).toISOString() }),
  };
}
