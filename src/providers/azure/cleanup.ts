/** What unfinished or forgotten work left in a subscription, by the mark it carries. */
import { Failure } from '../../domain/failure.ts';
import type { Target } from '../../domain/target.ts';
import type { Cleanup, Leftover } from '../provider.ts';
import type { Account, Accounts } from './clients.ts';
import { callOrAbsent } from './errors.ts';
import {
  groupOf,
  inGallery,
  parseVersionId,
  sameId,
  sameRegion,
  versionPath,
  type VersionId,
} from './ids.ts';
import { remove } from './images.ts';
import { listed } from './listing.ts';
import { lookedAgain } from './lro.ts';
import { deleteGroup } from './machines.ts';
import { copyPrefix, tag } from './names.ts';
import { idsByTag, resourcesByTag } from './tagged.ts';
import { deleteVersion, findVersion, stateIn } from './versions.ts';

const group = 'resource group';
/** A version in one of its regions: `<version>/regions/<region>`. */
const replica = 'replica';
const marks = [tag.launchId, tag.attemptId, tag.bakeId];

const versionKind = 'Microsoft.Compute/galleries/images/versions';

/** What Packer's azure-arm and our launches make, in the order in which it can go, with the API version that deletes it. */
const kinds: readonly (readonly [string, string])[] = [
  ['Microsoft.Compute/virtualMachines', '2024-07-01'],
  ['Microsoft.Network/networkInterfaces', '2024-05-01'],
  ['Microsoft.Network/publicIPAddresses', '2024-05-01'],
  ['Microsoft.Network/virtualNetworks', '2024-05-01'],
  ['Microsoft.Network/networkSecurityGroups', '2024-05-01'],
  ['Microsoft.Compute/disks', '2024-03-02'],
  ['Microsoft.Compute/snapshots', '2024-03-02'],
  ['Microsoft.Compute/images', '2024-07-01'],
  [versionKind, '2024-03-03'],
  ['Microsoft.KeyVault/vaults', '2023-07-01'],
];

/** What is not known goes last, because nothing says what needs it. */
function orderOf(type: string): number {
  const index = kinds.findIndex(([known]) => sameId(known, type));
  return index === -1 ? kinds.length : index;
}

export function cleanup(accounts: Accounts): Cleanup {
  return {
    async leftovers(mark, targets) {
      const found: Leftover[] = [];
      for (const name of new Set(targets.map(({ account }) => account))) {
        const account = accounts.find(name);
        if (account !== undefined) found.push(...(await leftoversIn(account, mark, targets)));
      }
      return found;
    },
    async sweep(leftover) {
      const { kind, id, target, mark } = leftover;
      const account = accounts.of(target);
      if (!id.toLowerCase().startsWith(`/subscriptions/${account.subscription.id.toLowerCase()}/`)) {
        throw new Failure(
          'invalid_input',
          `azure: ${JSON.stringify(id)} is no leftover of ${target.account}`,
        );
      }
      const version = parseVersionId(id);
      // Looked at again right before: between the finding and the sweeping it may have become a finished image, or somebody else's.
      if (kind === group) await sweepGroup(account, groupOf(id) ?? '', mark);
      else if (kind === replica) await sweepReplica(accounts, leftover);
      else if (version === undefined) await deleteById(account, leftover);
      else if (await isLeft(account, version, leftover)) await deleteVersion(account, version);
    },
  };
}

async function leftoversIn(
  account: Account,
  mark: string,
  targets: readonly Target[],
): Promise<readonly Leftover[]> {
  const ours = targets.filter((target) => sameId(target.account, account.subscription.id));
  const placed = (kind: string, id: string, location: string | undefined): readonly Leftover[] => {
    const target = ours.find(({ region }) => sameRegion(location, region)) ?? ours[0];
    return target === undefined ? [] : [{ kind, id, target, mark }];
  };
  const groups = await listed(
    `list resource groups of ${account.subscription.id}`,
    account.resources.resourceGroups.list(),
  );
  const marked = groups.filter(
    ({ name, tags }) => carries(tags, mark) && !sameId(name, account.subscription.resourceGroup),
  );
  const found = marked.flatMap(({ id = '', location }) => placed(group, id, location));
  const seen = new Set<string>();
  for (const name of marks) {
    const resources = await resourcesByTag(account, name, mark);
    for (const { id, type, location } of resources.toSorted((a, b) => orderOf(a.type) - orderOf(b.type))) {
      // What lies in a group that goes, goes with it.
      const isInGroup = marked.some((one) => sameId(one.name, groupOf(id) ?? ''));
      if (isInGroup || seen.has(id.toLowerCase()) || (await isFinished(account, id))) continue;
      seen.add(id.toLowerCase());
      found.push(...placed(type, id, location));
    }
  }
  for (const target of ours) found.push(...(await copiesIn(account, mark, target)));
  return found;
}

/** What was copied to the place under this id and is not usable there: it is being made, or could not be. */
async function copiesIn(account: Account, mark: string, target: Target): Promise<readonly Leftover[]> {
  const found: Leftover[] = [];
  for (const id of await idsByTag(account, tag.copy(target.region), mark)) {
    const parsed = parseVersionId(id);
    const version = parsed === undefined ? undefined : await findVersion(account, parsed);
    const state = stateIn(version, target.region);
    if (parsed === undefined || (state !== 'pending' && state !== 'failed')) continue;
    const ours = versionPath(inGallery(account.subscription, parsed.definition, parsed.version));
    // At home it is a version of its own, made by the copy.
    found.push(
      sameRegion(version?.location, target.region)
        ? { kind: versionKind, id: ours, target, mark }
        : { kind: replica, id: `${ours}/regions/${target.region}`, target, mark },
    );
  }
  return found;
}

function carries(tags: Readonly<Record<string, string>> = {}, mark: string): boolean {
  return marks.some((name) => tags[name] === mark);
}

async function sweepGroup(account: Account, name: string, mark: string): Promise<void> {
  const { resources, subscription } = account;
  const what = `read resource group ${name}`;
  const there = await lookedAgain(account, () =>
    callOrAbsent(what, () => resources.resourceGroups.get(name)),
  );
  if (there === undefined || sameId(name, subscription.resourceGroup) || !carries(there.tags, mark)) return;
  await deleteGroup(account, name);
}

async function sweepReplica(accounts: Accounts, { id, target, mark }: Leftover): Promise<void> {
  const [, imageId = '', region = ''] = /^(.+)\/regions\/([^/]+)$/.exec(id) ?? [];
  const parsed = parseVersionId(imageId);
  if (parsed === undefined) throw new Failure('invalid_input', `azure: ${JSON.stringify(id)} is no replica`);
  const version = await findVersion(accounts.of(target), parsed);
  if (version?.tags?.[tag.copy(region)] !== mark || sameRegion(version.location, region)) return;
  // Azure takes no change of a version that is being replicated: then it is asked for again.
  if (stateIn(version, region) === 'pending') {
    throw new Failure(
      'cleanup_incomplete',
      `azure: image ${imageId} is still being copied to ${region}; it is taken away there once that has ended`,
      { retryAfterMs: 10_000 },
    );
  }
  await remove(accounts, { imageId, target: { ...target, region } });
}

async function isLeft(account: Account, id: VersionId, { target, mark }: Leftover): Promise<boolean> {
  const version = await findVersion(account, id);
  if (version === undefined) return false;
  if (version.tags?.[tag.copy(target.region)] === mark) return sameRegion(version.location, target.region);
  return carries(version.tags, mark) && !(await isFinished(account, versionPath(id)));
}

/** A version that was collected or adopted and is whole; what is gone by now is no leftover either. */
async function isFinished(account: Account, id: string): Promise<boolean> {
  const parsed = parseVersionId(id);
  if (parsed === undefined) return false;
  const version = await findVersion(account, parsed);
  if (version === undefined) return true;
  // One that is a copy as a whole is found by its copy's id alone.
  if (Object.keys(version.tags ?? {}).some((name) => name.startsWith(copyPrefix))) return true;
  return version.tags?.[tag.source] !== undefined && version.provisioningState !== 'Creating';
}

async function deleteById(account: Account, { kind, id, mark }: Leftover): Promise<void> {
  const { resources, pollEveryMs } = account;
  const apiVersion = kinds[orderOf(kind)]?.[1];
  if (apiVersion === undefined) {
    throw new Failure(
      'unsupported',
      `azure: ${id} is a ${kind}, which is not swept from here: delete it by hand`,
    );
  }
  // Whoever sweeps takes its word that nothing is there.
  const there = await lookedAgain(account, () =>
    callOrAbsent(`read ${id}`, () => resources.resources.getById(id.slice(1), apiVersion)),
  );
  if (!carries(there?.tags, mark)) return;
  await callOrAbsent(`delete ${id}`, () =>
    resources.resources.beginDeleteByIdAndWait(id.slice(1), apiVersion, { updateIntervalInMs: pollEveryMs }),
  );
}
