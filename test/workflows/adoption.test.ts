import { describe, expect, test } from 'vitest';

import { unknownAccount } from '../../src/domain/target.ts';
import { foreignWorld } from '../support/bake/baked.ts';
import { place } from '../support/bake/cloud.ts';
import { tell } from '../support/bake/stories.ts';
import type { BakeWorld } from '../support/bake/world.ts';

const releaseOf = (world: BakeWorld) => {
  const workflowId = 'release/default/request-1/1';
  const { id: requestId, attempt } = world.registry.addRequest('release', workflowId);
  return tell(world, { workflow: 'release', workflowId, input: { requestId, attempt } });
};

/** Each image of the version lies in this place. */
const movedTo = (target: typeof place) => {
  const world = foreignWorld();
  const { version } = world;
  version.builds = version.builds.map((build) => ({
    ...build,
    artifacts: build.artifacts.map((one) => ({ ...one, image: { ...one.image, target } })),
  }));
  return world;
};

describe('a release of a version that others made', () => {
  test('tests, verifies and promotes it, and bakes nothing', async () => {
    const world = foreignWorld();
    const { outcome, steps } = await releaseOf(world);
    expect(outcome).toMatchObject({
      state: 'completed',
      result: { versionId: 'v', version: 'v1', channels: ['dev', 'prod'] },
    });
    expect(steps).not.toContain('openVersion');
    expect(steps.indexOf('recordTest')).toBeLessThan(steps.indexOf('verifyArtifact'));
    expect(world.packer().started).toEqual([]);
    expect(world.request.state).toBe('succeeded');
  });

  test('whose image does not boot moves no channel, and the version stays complete', async () => {
    const world = foreignWorld();
    world.tests.push({ name: 'greets', kind: 'console', pattern: 'hello' });
    const { outcome } = await releaseOf(world);
    expect(outcome.failure?.type).toBe('test_failed');
    expect(world.assigned).toEqual([]);
    expect(world.version.state).toBe('complete');
    expect(world.request.state).toBe('failed');
  });

  test.each([
    [{ ...place, account: unknownAccount }, 'nobody said in which account of qemu it is'],
    [{ provider: 'elsewhere', account: 'a', region: 'b' }, 'has no provider elsewhere'],
  ])('with images in %j is refused, naming them, before anything is launched', async (target, why) => {
    const world = movedTo(target);
    const { outcome } = await releaseOf(world);
    expect(outcome.failure?.type).toBe('illegal_state');
    expect(outcome.failure?.message).toContain('base v1 cannot be adopted: base-v in');
    expect(outcome.failure?.message).toContain(why);
    expect(world.request.failure).toMatchObject({ code: 'illegal_state' });
    expect(world.cloud.launches).toBe(0);
  });

  test('that is revoked by then is refused', async () => {
    const world = foreignWorld();
    world.version.revocation = { ...world.version.revocation, state: 'revoked' };
    const { outcome } = await releaseOf(world);
    expect(outcome.failure?.message).toContain('base v1 is revoked: restore it');
    expect(world.cloud.launches).toBe(0);
  });
});
