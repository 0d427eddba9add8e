/** A parent and a child line, each with two versions that were on `prod`. */
import { expect } from 'vitest';
import { pointerLeaseMs } from '../../src/activities/pointers.ts';
import { openGates } from '../../src/domain/image-line.ts';
import type { Version } from '../../src/domain/version.ts';
import { type Installation, until } from '../support/installation.ts';
import { apply, project, slowLine } from './lines.ts';
import { storeVersion } from './stored-version.ts';
import { standingOf } from './temporal.ts';

export interface Family {
  readonly parents: readonly [Version, Version];
  readonly children: readonly [Version, Version];
}

const channels = [{ name: 'prod', gates: openGates }];

/** `name` tells several families of one installation apart. */
export async function raise(installation: Installation, name: string): Promise<Family> {
  const [parent, child] = [`${name}-parent`, `${name}-child`];
  const line = await slowLine(0, { bucket: parent, channels });
  const { seed_image: _, ...variables } = line.variables;
  const parents = [{ bucket: parent, channel: 'prod', variable: 'seed_image' }];
  await apply(installation, line, { ...line, bucket: child, variables, parents });
  const generation = async (): Promise<readonly [Version, Version]> => {
    const first = await storeVersion(installation, parent);
    return [first, await storeVersion(installation, child, first)];
  };
  const [firstParent, firstChild] = await generation();
  const [secondParent, secondChild] = await generation();
  return { parents: [firstParent, secondParent], children: [firstChild, secondChild] };
}

/** What `prod` answers over HTTP: the version's name, or the refusal. */
export async function resolved({ client }: Installation, bucket: string): Promise<string> {
  try {
    return (await client.resolveChannel({ project, bucket, channel: 'prod' })).versionName;
  } catch (error) {
    return `refused: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const artifactsOf = ({ builds }: Version) => builds.flatMap(({ artifacts }) => artifacts);

/** In force and true in every place, each exactly once: one done receipt for each image that is to be blocked. */
export async function expectEnforcedOnce(
  installation: Installation,
  versions: readonly Version[],
  timeoutMs = 60_000,
): Promise<void> {
  const { registry } = installation;
  const receipts = async () => {
    const each = versions.map(({ id }) => registry.enforcement.receipts(project, { versionId: id }));
    return (await Promise.all(each)).flat();
  };
  const disabled = async () =>
    (await receipts())
      .filter(({ action, outcome }) => action === 'disable' && outcome === 'done')
      .map(({ artifactId }) => artifactId ?? '')
      .toSorted();
  const images = versions
    .flatMap(artifactsOf)
    .map(({ id }) => id)
    .toSorted();
  await until(
    'every image is blocked',
    async () => (await disabled()).length >= images.length,
    timeoutMs,
  ).catch(async (error: unknown) => {
    throw new Error(`receipts: ${JSON.stringify(await receipts())}`, { cause: error });
  });
  const held = async () =>
    (await registry.claims.list(0, 1000)).filter(({ subject }) =>
      /^(retire|cascade|rollback):/.test(subject),
    );
  // A killed writer of a pointer keeps its place for as long as its lease.
  await until(
    'all of them have ended',
    async () => (await held()).length === 0,
    pointerLeaseMs + 60_000,
  ).catch(async (error: unknown) => {
    const standing = await Promise.all((await held()).map((one) => standingOf(installation, one.workflowId)));
    throw new Error(`still at work:\n${standing.join('\n')}`, { cause: error });
  });
  expect(await disabled()).toEqual(images);
}

/** Root events of revocations that took effect for the version, oldest first. */
export async function effectsOf({ registry }: Installation, { id, bucket }: Version) {
  const events = await registry.events.list(project, { bucket, versionId: id, limit: 1000 });
  return events.filter(({ kind, data }) => kind === 'revocation.effective' && data['root'] === true);
}
