/**
 * What a killed Packer leaves without a tag. From 1.7 on Packer tags everything in the call that makes it; before, it tags neither its key
 * pair nor its security group, and an image only minutes after it asked for it. Names and the tagged instance tell whose these are.
 */
import {
  CreateTagsCommand,
  DescribeKeyPairsCommand,
  DescribeSecurityGroupsCommand,
} from '@aws-sdk/client-ec2';
import type { Place } from './cloud.ts';
import { listImages } from './describe.ts';
import { markTags, tagList, wildcardsEscaped } from './tags.ts';
import { instancesBy } from './terminate.ts';

/** Of the temporary key pair of an attempt: the template passes it to Packer. */
export const keyNameOf = (attemptId: string): string => `bakehouse-${attemptId}`;

/** By kind; what carries marks of its own is found by those. */
export async function namedByPacker(
  { ec2 }: Place,
  mark: string,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const keyName = wildcardsEscaped(keyNameOf(mark));
  // Image names end with the attempt's id, or with that and what the template appends.
  const imageName = `*-${wildcardsEscaped(mark.toLowerCase())}`;
  const [{ KeyPairs: pairs = [] }, images] = await Promise.all([
    ec2.send(new DescribeKeyPairsCommand({ Filters: [{ Name: 'key-name', Values: [keyName] }] })),
    listImages(ec2, [{ Name: 'name', Values: [imageName, `${imageName}-*`] }], ['self']),
  ]);
  const unmarked = images.filter(({ Tags = [] }) => !Tags.some(({ Key }) => markTags.includes(Key ?? '')));
  return {
    'key-pair': pairs.flatMap(({ KeyPairId }) => KeyPairId ?? []),
    image: unmarked.flatMap(({ ImageId }) => ImageId ?? []),
  };
}

/** As Packer describes the groups that it makes for one build. */
const temporaryGroup = 'Temporary group for Packer';

/** Before an instance is ended: afterwards nothing tells which groups it had, and they cannot go before it. */
export async function markTemporaryGroups(place: Place, instanceId: string, mark: string): Promise<void> {
  const instances = await instancesBy(place, 'instance-id', [instanceId]);
  const groups = instances.flatMap(({ SecurityGroups = [] }) => SecurityGroups);
  const ids = groups.flatMap(({ GroupId, GroupName }) =>
    GroupId !== undefined && GroupName?.startsWith('packer_') === true ? [GroupId] : [],
  );
  if (ids.length === 0) return;
  const { SecurityGroups: found = [] } = await place.ec2.send(
    new DescribeSecurityGroupsCommand({
      Filters: [
        { Name: 'group-id', Values: ids },
        { Name: 'description', Values: [temporaryGroup] },
      ],
    }),
  );
  const unmarked = found
    .filter(({ Tags = [] }) => !Tags.some(({ Key }) => markTags.includes(Key ?? '')))
    .flatMap(({ GroupId }) => GroupId ?? []);
  if (unmarked.length === 0) return;
  await place.ec2.send(new CreateTagsCommand({ Resources: unmarked, Tags: tagList({ attempt_id: mark }) }));
}
