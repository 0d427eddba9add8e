import { describe, expect, it } from 'vitest';
import type { Version } from '../../src/domain/version.ts';
import { useDatabase } from '../support/database.ts';
import { eventsOf } from './support/trail.ts';
import { artifactsOf, createWorld, home, refusal } from './support/world.ts';

const database = useDatabase({ connections: 20 });
const away = { ...home, region: 'away' };

async function aComplete() {
  const world = createWorld(database());
  const version = await world.bake(await world.line());
  const copiedFrom = artifactsOf(version)[0]?.id ?? '';
  const record = (imageId = 'copy-1') =>
    world.registry.bakes.recordCopy({ copiedFrom, image: { target: away, imageId } });
  const images = async () => artifactsOf(await world.registry.versions.get(version.id)).length;
  return { ...world, version, copiedFrom, record, images };
}

const end = ({ registry }: Awaited<ReturnType<typeof aComplete>>, { requestId }: Version) =>
  registry.requests.finish(requestId ?? '', 1, { state: 'abandoned' });

describe('a copy', () => {
  it('is recorded once, also when it is recorded at the same time by two', async () => {
    const { registry, version, copiedFrom, record } = await aComplete();
    const [one, two] = await Promise.all([record(), record()]);

    expect(two).toBe(one);
    expect(await record()).toBe(one);
    const [, copy] = artifactsOf(await registry.versions.get(version.id));
    expect(copy).toMatchObject({ id: one, copiedFrom, image: { target: away, imageId: 'copy-1' } });
    expect(await eventsOf(database().store, version.id, 'artifact.copied')).toHaveLength(1);
    expect(await refusal('conflict', record('copy-2'))).toContain('copy-2');
  });

  it('of a version that was revoked, or whose release has ended, is refused', async () => {
    const revoked = await aComplete();
    await revoked.revoke(revoked.version);
    expect(await refusal('illegal_state', revoked.record())).toContain('revoked');

    const ended = await aComplete();
    await end(ended, ended.version);
    expect(await refusal('conflict', ended.record())).toContain('has ended');
    expect([await revoked.images(), await ended.images()]).toEqual([1, 1]);
  });

  it('recorded before the end of its release stays, and is answered also later', async () => {
    const world = await aComplete();
    const id = await world.record();
    await end(world, world.version);

    expect(await world.record()).toBe(id);
    expect(await world.images()).toBe(2);
  });

  it('and the end of its release, at the same moment: it is recorded, or refused, and never both', async () => {
    const outcomes = new Set<string>();
    for (let times = 0; times < 40; times += 1) {
      const world = await aComplete();
      const order = [() => world.record(), () => end(world, world.version)];
      const all = times % 2 === 0 ? order : order.toReversed();
      const settled = await Promise.allSettled(all.map((act) => act()));
      const recorded = settled[times % 2]?.status === 'fulfilled';

      expect(await world.images()).toBe(recorded ? 2 : 1);
      outcomes.add(recorded ? 'recorded' : 'refused');
    }
    expect(outcomes.size).toBe(2);
  });

  it('carries the bake id that its version has', async () => {
    const { registry, version } = await aComplete();

    expect(await registry.bakes.bakeIdOf(version.id)).toMatch(/^[0-9A-Z]{26}$/);
    expect(await refusal('not_found', registry.bakes.bakeIdOf('nothing'))).toContain('nothing');
  });
});
