/** The last build of a child ends while its parent is revoked: hundreds of times, with both orders forced. */
import { beforeAll, expect, test, vi } from 'vitest';
import { createRegistry } from '../../src/registry/create-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { useDatabase } from '../support/database.ts';
import { at, expectOutcome, inLanes } from './support/interleave.ts';
import { expectInvariants } from './support/invariants.ts';
import { seedLines } from './support/seed.ts';
import { ann, project } from './support/world.ts';

vi.setConfig({ testTimeout: 240_000 });

const database = useDatabase({ connections: 20 });
const rounds = 150;
const lanes = 4;
let registry: Registry;
/** Of another server: within one, builds of a bucket take turns and never meet in the database. */
let elsewhere: Registry;
beforeAll(() => {
  registry = createRegistry(database().store);
  elsewhere = createRegistry(database().store);
});

async function openChild(bucket: string, fingerprint: string, sources: readonly string[]) {
  const place = { project, bucket, fingerprint, by: ann, mayRead: () => true };
  await registry.publishing.openVersion({ ...place, templateType: 'HCL2' });
  const builds = await Promise.all(
    sources.map((componentType) =>
      registry.publishing.openBuild({ ...place, componentType, fields: { state: 'running' } }),
    ),
  );
  return {
    end: (index: number, parentId: string) =>
      (index === 0 ? registry : elsewhere).publishing.updateBuild({
        ...place,
        buildId: at(builds, index),
        fields: {
          state: 'done',
          artifacts: [{ externalIdentifier: `image-${index}`, region: 'here' }],
          parent: { versionId: parentId },
        },
      }),
    read: () => registry.versions.find(project, bucket, fingerprint),
  };
}

const revokeNow = (versionId: string) =>
  registry.revocations.revoke({
    versionId,
    reason: 'a hole',
    rollBack: true,
    descendants: true,
    by: ann,
  });

test('the one build of a child ends while its parent is revoked', async () => {
  const { store } = database();
  const parents = await seedLines(store, rounds, { versions: 1 });
  const children = await seedLines(store, rounds, { versions: 1 });
  await inLanes(database(), lanes, rounds, async (round, gate) => {
    const parent = at(parents, round);
    const parentId = at(parent.versions, 0);
    const { bucket, versions } = at(children, round);
    const child = await openChild(bucket, `run-${round}`, ['file.one']);
    const end = () => child.end(0, parentId);
    const revoke = () => revokeNow(parentId);
    const [one, other] = round % 2 === 0 ? [end, revoke] : [revoke, end];
    for (const result of await gate.run([parent.bucketId], one, other)) expectOutcome(result);
    expect(await child.read()).toMatchObject({
      name: 'v2',
      revocation: { state: 'revoked', inheritedFrom: { versionId: parentId } },
    });
    // Never given to anybody: `latest` is what it was.
    const latest = await registry.channels.get(project, bucket, 'latest');
    expect(latest.effective).toMatchObject({ versionId: versions[0], derived: false });
  });
  await expectInvariants(store);
});

test('the two last builds of a child, made from different parents, end at once, while one parent is revoked', async () => {
  const { store } = database();
  const parents = await seedLines(store, 2 * rounds, { versions: 1 });
  const children = await seedLines(store, rounds, { versions: 1 });
  await inLanes(database(), lanes, rounds, async (round, gate) => {
    const [first, second] = [at(parents, 2 * round), at(parents, 2 * round + 1)];
    const ids = [at(first.versions, 0), at(second.versions, 0)] as const;
    const child = await openChild(at(children, round).bucket, `run-${round}`, ['file.one', 'file.two']);
    const revoked = round % 4 < 2 ? ids[0] : ids[1];
    const acts = [() => child.end(0, ids[0]), () => child.end(1, ids[1]), () => revokeNow(revoked)];
    const order = round % 2 === 0 ? acts : acts.toReversed();
    const held = round % 3 === 0 ? [first.bucketId, second.bucketId] : [at(children, round).bucketId];
    for (const result of await gate.all(held, order)) expectOutcome(result);
    const version = await child.read();
    expect(version).toMatchObject({ name: 'v2', revocation: { state: 'revoked' } });
    expect(version.parents.map(({ versionId }) => versionId).toSorted()).toEqual(ids.toSorted());
  });
  await expectInvariants(store);
});
