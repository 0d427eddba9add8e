/** What the receipts of a version say of each of its images, in the words in which a cloud is asked. */
import type { Receipt } from '../../src/domain/revocation.ts';
import { targetKey } from '../../src/domain/target.ts';
import type { Artifact, Version } from '../../src/domain/version.ts';

/** One image in its place; said by receipts, or seen in the cloud. */
export interface Standing {
  readonly state: 'usable' | 'blocked' | 'gone';
  /** Sorted. */
  readonly sharedWith: readonly string[];
  /** An end is announced there; of one that is gone nothing is. */
  readonly ends: boolean;
}

export const gone: Standing = { state: 'gone', sharedWith: [], ends: false };

const endings = new Set<Receipt['action']>(['disable', 'deprecate', 'delete']);

/** How often each act of a retirement was done to an image, and what was refused or failed. */
export function actsOn({ id }: Artifact, receipts: readonly Receipt[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { artifactId, action, outcome, detail } of receipts) {
    if (artifactId !== id) continue;
    const act = outcome === 'done' ? action : `${action} ${outcome}: ${detail}`;
    if (outcome !== 'done' || endings.has(action)) counts[act] = (counts[act] ?? 0) + 1;
  }
  return counts;
}

export function standingBy({ id }: Artifact, receipts: readonly Receipt[]): Standing {
  const done = receipts.filter(({ artifactId, outcome }) => artifactId === id && outcome === 'done');
  const isDone = (action: Receipt['action']) => done.some((one) => one.action === action);
  if (isDone('delete')) return gone;
  const shares = done.find(({ action }) => action === 'share')?.detail ?? '';
  const [, named = ''] = /^shared with ([^;]*)/.exec(shares) ?? [];
  const isBlocked = isDone('disable');
  return {
    state: isBlocked ? 'blocked' : 'usable',
    sharedWith: isBlocked || named === '' ? [] : named.split(', ').toSorted(),
    ends: isDone('deprecate'),
  };
}

export const artifactsOf = ({ builds }: Version): readonly Artifact[] =>
  builds.flatMap(({ artifacts }) => artifacts);

/** By name, so that a difference tells its place. */
export async function standings(
  versions: readonly Version[],
  of: (artifact: Artifact, version: Version) => Promise<Standing>,
): Promise<Readonly<Record<string, Standing>>> {
  const all = versions.flatMap((version) =>
    artifactsOf(version).map(async (artifact) => {
      const name = `${version.bucket} ${version.name} in ${targetKey(artifact.image.target)}`;
      return [name, await of(artifact, version)] as const;
    }),
  );
  return Object.fromEntries(await Promise.all(all));
}
