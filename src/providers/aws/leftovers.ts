/** What carries a mark and is no finished image: found by its tags in one question, then looked at kind by kind. */
import {
  paginateDescribeNetworkInterfaces,
  paginateDescribeSpotInstanceRequests,
  paginateDescribeTags,
  paginateDescribeVolumes,
  type Tag,
} from '@aws-sdk/client-ec2';
import type { Target } from '../../domain/target.ts';
import type { Leftover } from '../provider.ts';
import type { Cloud, Place } from './cloud.ts';
import { isComplete, listImages, snapshotsOf } from './describe.ts';
import { namedByPacker } from './packer-leftovers.ts';
import { imagesOn, listSnapshots } from './remove.ts';
import { copyTag, markTags, tagRecord, wildcardsEscaped } from './tags.ts';
import { instancesBy, isEnding } from './terminate.ts';

type Kept = (place: Place, ids: readonly string[], mark: string) => Promise<readonly string[]>;

/** It carries its bake's marks too, and is nobody's but its own. */
const isOtherCopy = ({ Tags }: { readonly Tags?: Tag[] | undefined }, mark: string): boolean =>
  (tagRecord(Tags)[copyTag] ?? mark) !== mark;

const filter = (name: string, ids: readonly string[]) => ({ Filters: [{ Name: name, Values: [...ids] }] });

/** Which of the tagged ones are still there and have to be ended by somebody, in the order in which they can be ended. */
const kinds: Readonly<Record<string, Kept>> = {
  // Before its instance, which it would replace.
  'spot-instances-request': async ({ ec2 }, ids) => {
    const open: string[] = [];
    const input = filter('spot-instance-request-id', ids);
    for await (const page of paginateDescribeSpotInstanceRequests({ client: ec2 }, input)) {
      for (const { State, SpotInstanceRequestId } of page.SpotInstanceRequests ?? [])
        if (State === 'open' || State === 'active') open.push(SpotInstanceRequestId ?? '');
    }
    return open;
  },
  instance: async (place, ids) =>
    (await instancesBy(place, 'instance-id', ids))
      .filter((one) => !isEnding(one))
      .flatMap(({ InstanceId }) => InstanceId ?? []),
  'launch-template': (_place, ids) => Promise.resolve(ids),
  // What goes with its machine is the machine's.
  volume: async ({ ec2 }, ids) => {
    const left: string[] = [];
    for await (const page of paginateDescribeVolumes({ client: ec2 }, filter('volume-id', ids))) {
      for (const { VolumeId, State, Attachments = [] } of page.Volumes ?? [])
        if (
          State !== 'deleting' &&
          State !== 'deleted' &&
          !Attachments.some((one) => one.DeleteOnTermination === true)
        )
          left.push(VolumeId ?? '');
    }
    return left;
  },
  'network-interface': async ({ ec2 }, ids) => {
    const left: string[] = [];
    const input = filter('network-interface-id', ids);
    for await (const page of paginateDescribeNetworkInterfaces({ client: ec2 }, input)) {
      for (const { NetworkInterfaceId, Attachment } of page.NetworkInterfaces ?? [])
        if (Attachment?.DeleteOnTermination !== true) left.push(NetworkInterfaceId ?? '');
    }
    return left;
  },
  // The owner's only: the tags of a shared image are those that we wrote for its consumers.
  image: async (place, ids, mark) => {
    const images = await listImages(place.ec2, filter('image-id', ids).Filters, ['self']);
    return images
      .filter((image) => !isComplete(image) && !isOtherCopy(image, mark))
      .flatMap(({ ImageId }) => ImageId ?? []);
  },
  snapshot: async (place, ids, mark) => {
    const there = (await listSnapshots(place, ids))
      .filter((snapshot) => !isOtherCopy(snapshot, mark))
      .flatMap(({ SnapshotId }) => SnapshotId ?? []);
    if (there.length === 0) return [];
    // Those of an image go with it, whether it is finished or swept itself.
    const used = new Set((await imagesOn(place, there)).flatMap(snapshotsOf));
    return there.filter((id) => !used.has(id));
  },
  'key-pair': (_place, ids) => Promise.resolve(ids),
  'security-group': (_place, ids) => Promise.resolve(ids),
};

export async function leftovers(
  cloud: Cloud,
  mark: string,
  targets: readonly Target[],
): Promise<readonly Leftover[]> {
  const places = [
    ...new Map(targets.map((target) => [`${target.account}/${target.region}`, cloud.at(target)])).values(),
  ];
  const found = await Promise.all(places.map((place) => inPlace(place, mark)));
  return found.flat();
}

async function inPlace(place: Place, mark: string): Promise<readonly Leftover[]> {
  const tagged = new Map<string, Set<string>>();
  const input = {
    Filters: [
      { Name: 'key', Values: [...markTags] },
      { Name: 'value', Values: [wildcardsEscaped(mark)] },
      { Name: 'resource-type', Values: Object.keys(kinds) },
    ],
  };
  for await (const page of paginateDescribeTags({ client: place.ec2, pageSize: 1_000 }, input)) {
    for (const { ResourceId = '', ResourceType = '', Value } of page.Tags ?? []) {
      if (Value !== mark || ResourceId === '') continue;
      tagged.set(ResourceType, (tagged.get(ResourceType) ?? new Set()).add(ResourceId));
    }
  }
  const named = await namedByPacker(place, mark);
  const found: Leftover[] = [];
  for (const [kind, kept] of Object.entries(kinds)) {
    const ids = [...new Set([...(tagged.get(kind) ?? []), ...(named[kind] ?? [])])];
    if (ids.length === 0) continue;
    for (const id of await kept(place, ids, mark)) found.push({ kind, id, target: place.target, mark });
  }
  return found;
}
