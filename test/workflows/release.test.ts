import { describe, expect, test } from 'vitest';

import { workflowIds } from '../../src/domain/workflow-ids.ts';
import { atFirst, tell } from '../support/bake/stories.ts';
import { BakeWorld } from '../support/bake/world.ts';

const typed = { workflow: 'release', input: { bucket: 'base' } } as const;

describe('release', () => {
  test('a person types a bucket; the version ends on the last channel of the line', async () => {
    const world = new BakeWorld();
    const { outcome, steps, simulation } = await tell(world, typed);
    expect(outcome).toMatchObject({
      state: 'completed',
      result: { version: 'v1', channels: ['dev', 'prod'] },
    });
    expect(steps.indexOf('recordTest')).toBeLessThan(steps.indexOf('verifyArtifact'));
    expect(steps.indexOf('verifyArtifact')).toBeLessThan(steps.indexOf('requestPromotion'));
    const at = simulation.steps.find(({ name }) => name === 'verifyArtifact');
    expect(at?.taskQueue).toBe('cloud/qemu/local/local');
    world.expectNothingLeft();
  });

  test('a failed bake is a failed release with the same words, and moves no channel', async () => {
    const world = new BakeWorld();
    world.packer().ends = 'failed';
    const { outcome } = await tell(world, typed);
    const message = `qemu.base: Script exited with non-zero exit status: 1; \`bakehouse logs ${world.request.id}\` shows all that Packer said`;
    const failure = { type: 'bake_failed', message };
    expect(outcome).toEqual({ state: 'failed', failure });
    expect(world.request).toMatchObject({ state: 'failed', failure: { code: 'bake_failed' } });
    expect(world.assigned).toEqual([]);
    world.expectNothingLeft();
  });

  test('a failed check is test_failed, names the check, and moves no channel', async () => {
    const world = new BakeWorld();
    world.tests.push({ name: 'greets', kind: 'console', pattern: 'hello' });
    const { outcome } = await tell(world, typed);
    expect(outcome.failure?.type).toBe('test_failed');
    expect(outcome.failure?.message).toContain('check "greets" failed: /hello/ is not on the console');
    expect(world.version.state).toBe('complete');
    expect(world.assigned).toEqual([]);
    world.expectNothingLeft();
  });

  test('an image that is gone from its target is not promoted, and a receipt says so', async () => {
    const world = new BakeWorld();
    const { outcome } = await tell(world, {
      ...typed,
      onStep: atFirst('verifyArtifact', () => world.cloud.images.clear()),
    });
    expect(outcome.failure?.type).toBe('illegal_state');
    expect(outcome.failure?.message).toContain('is missing');
    expect([...world.registry.receiptRows.values()]).toMatchObject([
      { outcome: 'failed', lastKnown: 'missing' },
    ]);
    expect(world.assigned).toEqual([]);
  });

  test('cancelled, it cancels its children, and each takes back what it did', async () => {
    const world = new BakeWorld();
    const { outcome, simulation } = await tell(world, {
      ...typed,
      onStep: atFirst('awaitBoot', (_step, sim) => sim.cancel('by-hand/release')),
    });
    expect(outcome.state).toBe('cancelled');
    expect(world.request.state).toBe('cancelled');
    const [artifact] = world.version.builds[0]?.artifacts ?? [];
    const child = workflowIds.testLaunch('default', artifact?.id ?? '');
    expect(simulation.outcomeOf(child).state).toBe('cancelled');
    world.expectNothingLeft();
  });

  test.each(['release', 'bake'] as const)(
    'cancelled before it was started, a %s bakes nothing',
    async (kind) => {
      const world = new BakeWorld();
      const workflowId = `${kind}/default/request-1/1`;
      const { id: requestId, attempt } = world.registry.addRequest(kind, workflowId);
      const row = world.registry.requestRows.get(requestId);
      if (row !== undefined) world.registry.requestRows.set(requestId, { ...row, cancelWanted: true });
      const { outcome } = await tell(world, { workflow: kind, workflowId, input: { requestId, attempt } });
      expect(outcome).toMatchObject({ state: 'failed', failure: { type: 'cancelled' } });
      expect(world.request.state).toBe('cancelled');
      expect(world.packer().started).toEqual([]);
      world.expectNothingLeft();
    },
  );

  test('a bake that runs already is waited for, not done again', async () => {
    const world = new BakeWorld();
    const { id } = world.registry.addRequest('release', 'r');
    const { outcome } = await tell(world, {
      workflow: 'release',
      workflowId: 'r',
      input: { requestId: id, attempt: 1 },
      // Somebody typed the same bake under an id of his own, and it waits for a host.
      meanwhile: (sim) => {
        const hosts = world.registry.hostRows.splice(0);
        sim.start('bake', 'typed-by-hand', { requestId: id, attempt: 1 });
        sim.after(90_000, () => world.registry.hostRows.push(...hosts));
      },
    });
    expect(outcome.state).toBe('completed');
    expect(world.packer().started).toHaveLength(1);
    expect(world.request.state).toBe('succeeded');
    world.expectOneImagePerSource();
    world.expectNothingLeft();
  });

  // An approval wakes it by its id at once: the release finds its child's id in use.
  test.each([
    { end: { state: 'done', detail: '' }, outcome: { state: 'completed' }, request: 'succeeded' },
    {
      end: { state: 'superseded', detail: 'v2 is newer' },
      outcome: { state: 'failed', failure: { type: 'superseded', message: 'v2 is newer' } },
      request: 'failed',
    },
  ])(
    'a promotion that was woken first is waited for, and its end ($end.state) is the release’s',
    async ({ end, outcome: expected, request }) => {
      const world = new BakeWorld(undefined, undefined, ['prod']);
      const { outcome, steps } = await tell(world, {
        ...typed,
        meanwhile(sim) {
          world.whenPromotionIsAsked = (promotionId) => {
            sim.signalWithStart('promote', workflowIds.promote('default', promotionId), { promotionId });
            sim.after(90_000, () => {
              Object.assign(world.promotions.get(promotionId) ?? {}, { ...end, endedAt: 'now' });
            });
          };
        },
        horizonMs: 600_000,
      });
      expect(steps).toContain('promotionGates');
      expect(outcome).toMatchObject(expected);
      expect(world.request.state).toBe(request);
    },
  );

  test('cancelled while it waits for a promotion that was woken first, it leaves no run of that', async () => {
    const world = new BakeWorld(undefined, undefined, ['prod']);
    let promotion = '';
    const { outcome, simulation } = await tell(world, {
      ...typed,
      meanwhile(sim) {
        world.whenPromotionIsAsked = (promotionId) => {
          promotion = workflowIds.promote('default', promotionId);
          sim.signalWithStart('promote', promotion, { promotionId });
          sim.after(90_000, () => sim.cancel('by-hand/release'));
        };
      },
      horizonMs: 600_000,
    });
    expect(outcome.state).toBe('cancelled');
    expect(simulation.outcomeOf(promotion)).toMatchObject({
      state: 'failed',
      failure: { type: 'illegal_state' },
    });
    expect([...world.promotions.values()]).toMatchObject([{ endedAt: 'now' }]);
  });

  test('the same request twice is one release', async () => {
    const world = new BakeWorld();
    const keyed = { workflow: 'release', input: { bucket: 'base', key: 'pipeline-1' } } as const;
    await tell(world, keyed);
    const { outcome } = await tell(world, { ...keyed, workflowId: 'again' });
    expect(outcome).toMatchObject({ state: 'completed', result: { version: 'v1' } });
    expect(world.packer().started).toHaveLength(1);
    expect(world.promotions.size).toBe(2);
  });
});
