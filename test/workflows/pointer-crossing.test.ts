/** A late roll back against a newer promotion at the same place: whoever writes last wrote what the registry wants. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { installationOperator } from '../../src/domain/actor.ts';
import { fakesOf } from '../support/lifecycle/activities.ts';
import { europe, lineage } from '../support/lifecycle/story.ts';
import { World } from '../support/lifecycle/world.ts';

const nobody = {
  wake: async () => undefined,
  nudge: async () => false,
  latestRun: async () => 'closed' as const,
};

interface Setting {
  readonly scheduler: fc.Scheduler;
  /** How much time passes at each turn: leases may run out under their holders. */
  readonly stepMs: number;
}

function arrange({ scheduler, stepMs }: Setting) {
  let now = Date.parse('2026-01-01T00:00:00.000Z');
  const world = new World({
    versions: [...lineage, { id: 'base-3', bucket: 'base', name: 'v3', targets: [europe] }],
    now: () => now,
    pause: async (what) => {
      now += stepMs;
      await scheduler.schedule(Promise.resolve(), what);
    },
  });
  world.addChannel('base', 'prod', [europe], 'base-1', 'base-2');
  const { activities } = fakesOf(world, nobody);
  const publish = async () => {
    for (let tries = 0; tries < 500; tries++) {
      const publication = await activities['publishPointer']?.('base-prod', europe);
      if (JSON.stringify(publication).includes('published')) return;
      await world.pause('busy: wait');
    }
    throw new Error('busy for ever');
  };
  return { world, publish };
}

const revokeSecond = (world: World) =>
  world.revoke({
    versionId: 'base-2',
    reason: 'a hole',
    rollBack: true,
    descendants: false,
    by: installationOperator,
  });

/** As the workflow does it: publish, then assign; what is refused ends it, and the place goes back. */
async function promoteThird(world: World, publish: () => Promise<void>): Promise<void> {
  world.requestPromotion('p', 'base-prod', 'base-3');
  await world.pause('begin publishing');
  world.beginPublishing('p');
  await publish();
  try {
    world.completePromotion('p');
  } catch {
    world.endPromotion('p', 'failed', 'the channel moved');
    await publish();
  }
}

test.each([0, 5_000, 100_000])(
  'a promotion and a late roll back never cross (%i ms a turn)',
  async (stepMs) => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const { world, publish } = arrange({ scheduler, stepMs });
        const all = Promise.all([
          promoteThird(world, publish),
          (async () => {
            await world.pause('revoke');
            revokeSecond(world);
            await publish();
          })(),
          publish(),
        ]);
        await scheduler.waitFor(all);
        expect(world.pointersBehind()).toEqual([]);
        expect(world.wanted('base-prod', europe).imageId).not.toBe('image-base-2');
      }),
      { numRuns: 200 },
    );
  },
);
