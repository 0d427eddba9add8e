import { describe, expect, test } from 'vitest';

import { installationOperator } from '../../src/domain/actor.ts';
import { unknownAccount } from '../../src/domain/target.ts';
import { europe, tellStory } from '../support/lifecycle/story.ts';

const elsewhere = { ...europe, account: unknownAccount };

function aStory() {
  const targets = [europe, elsewhere];
  const story = tellStory({
    versions: [
      { id: 'base-1', bucket: 'base', name: 'v1', targets },
      { id: 'base-2', bucket: 'base', name: 'v2', targets },
    ],
  });
  story.world.addChannel('base', 'prod', targets, 'base-1', 'base-2');
  // Whoever calls there waits for ever.
  story.world.cloud.unreachable.add('fake/unknown/eu');
  const revoked = story.world.revoke({
    versionId: 'base-2',
    reason: 'a hole',
    rollBack: true,
    descendants: true,
    by: installationOperator,
  });
  return { ...story, revoked };
}

describe('a version of which some images lie where nobody here has a say', () => {
  test('is revoked to the end: the others are blocked, and a receipt says what is left to be done', async () => {
    const { world, simulation, revoked } = aStory();
    await simulation.settle();

    for (const id of [
      `cascade/default/${revoked.id}/effective`,
      'retire/default/base-2',
      'rollback/default/base-2',
    ]) {
      expect(simulation.outcomeOf(id), id).toMatchObject({ state: 'completed' });
    }
    expect(world.cloud.imageAt({ target: europe, imageId: 'image-base-2' })?.isLaunchable).toBe(false);
    const refused = [...world.receipts.values()].filter(({ outcome }) => outcome === 'refused');
    expect(refused).toMatchObject([{ target: elsewhere, action: 'disable' }]);
    expect(refused[0]?.detail).toContain('nobody said in which account of fake it is');
    expect(world.cloud.acts.filter((act) => act.includes('unknown'))).toEqual([]);
    await simulation.dispose();
  });

  test('is published where it can be', async () => {
    const { world, simulation } = aStory();
    await simulation.settle();
    simulation.start('promote', 'typed', { bucket: 'base', version: 'v1', channel: 'prod' });
    await simulation.settle();
    expect(simulation.outcomeOf('typed')).toMatchObject({ state: 'completed' });
    expect([...world.published.keys()].filter((place) => place.includes('unknown'))).toEqual([]);
    await simulation.dispose();
  });
});
