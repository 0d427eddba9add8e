/** That the receipts of versions and the cloud itself say the same, place by place. */
import { expect } from 'vitest';
import type { Receipt } from '../../src/domain/revocation.ts';
import type { Artifact, Version } from '../../src/domain/version.ts';
import { actsOn, artifactsOf, type Standing, standingBy, standings } from './receipts.ts';

export const project = 'default';
export const patience = { timeout: 170_000, interval: 300 } as const;

export interface Asked {
  readonly receiptsOf: (version: Version) => Promise<readonly Receipt[]>;
  /** The cloud. */
  readonly seen: (artifact: Artifact) => Promise<Standing>;
}

export function proving({ receiptsOf, seen }: Asked) {
  async function expectTrue(versions: readonly Version[], state: Standing['state']): Promise<void> {
    const said = await standings(versions, async (artifact, version) =>
      standingBy(artifact, await receiptsOf(version)),
    );
    const there = await standings(versions, seen);
    expect(there).toEqual(said);
    expect(Object.values(there).map((one) => one.state)).toEqual(Object.keys(there).map(() => state));
  }

  async function doneTo(version: Version): Promise<readonly Readonly<Record<string, number>>[]> {
    const receipts = await receiptsOf(version);
    return artifactsOf(version).map((artifact) => actsOn(artifact, receipts));
  }

  return {
    expectTrue,
    /** Waits until every image has these acts behind it: each done once, none in vain, and the cloud agrees at that moment. */
    async reaches(version: Version, acts: readonly string[], state: Standing['state']): Promise<void> {
      const once = Object.fromEntries(acts.map((act) => [act, 1]));
      await expect.poll(() => doneTo(version), patience).toEqual(artifactsOf(version).map(() => once));
      await expectTrue([version], state);
    },
  };
}
