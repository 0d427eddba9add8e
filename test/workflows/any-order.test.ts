/** Events are wake-ups: in whatever order and however often they arrive, what is true in the end is what the registry wants. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { installationOperator } from '../../src/domain/actor.ts';
import { deliverTo, lineage, places, tellStory } from '../support/lifecycle/story.ts';
import type { Wanted, World } from '../support/lifecycle/world.ts';

const hour = 3_600_000;

type Move =
  | { readonly kind: 'schedule'; readonly inHours: number; readonly version: 'base-2' | 'base-1' }
  | { readonly kind: 'revoke'; readonly version: 'base-2' | 'base-1' }
  | { readonly kind: 'reschedule'; readonly inHours: number }
  | { readonly kind: 'lift' };

const version = fc.constantFrom('base-2' as const, 'base-1' as const);
const inHours = fc.integer({ min: 1, max: 400 });
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ kind: fc.constant('schedule' as const), inHours, version }),
  fc.record({ kind: fc.constant('revoke' as const), version }),
  fc.record({ kind: fc.constant('reschedule' as const), inHours }),
  fc.record({ kind: fc.constant('lift' as const) }),
);

function make(world: World, what: Move): void {
  const open = world.records.all.filter(({ kind, liftedAt }) => kind === 'explicit' && liftedAt === null);
  // What is due at this very instant waits no more: the registry refuses to move it.
  const waiting = open.find(
    ({ materialisedAt, dueAt }) => materialisedAt === null && Date.parse(dueAt) > Date.parse(world.now),
  );
  const asked = { reason: 'x', rollBack: true, descendants: true, by: installationOperator };
  switch (what.kind) {
    case 'schedule':
      // A version that is revoked already takes no later date.
      if (world.records.standing(what.version).status.state !== 'revoked') {
        world.revoke({ ...asked, versionId: what.version, inMs: what.inHours * hour });
      }
      return undefined;
    case 'revoke':
      return void world.revoke({ ...asked, versionId: what.version });
    case 'reschedule':
      if (waiting !== undefined) {
        const at = new Date(Date.parse(world.now) + what.inHours * hour).toISOString();
        world.records.move(waiting.id, at);
      }
      return undefined;
    case 'lift':
      if (open[0] !== undefined) world.records.lift(open[0].id);
  }
}

const revoke: Move = { kind: 'revoke', version: 'base-2' };
const scheduleIn = (hours: number): Move => ({ kind: 'schedule', inHours: hours, version: 'base-2' });

describe('wake-ups in any order and twice', () => {
  test.each([
    ['revoke, restore, revoke', [revoke, { kind: 'lift' }, revoke]],
    ['schedule, lift', [scheduleIn(5), { kind: 'lift' }]],
    ['schedule, bring forward', [scheduleIn(300), { kind: 'reschedule', inHours: 1 }]],
  ] as [string, Move[]][])('%s, delivered backwards', async (_name, moves) => {
    const outbox: Wanted[] = [];
    const { world, simulation } = tellStory({ deliver: (delivery) => void outbox.push(delivery) });
    world.addChannel('base', 'prod', places, 'base-1', 'base-2');
    for (const one of moves) make(world, one);
    while (outbox.length > 0) {
      const late = outbox.splice(0).toReversed();
      for (const delivery of [...late, ...late]) deliverTo(simulation, delivery);
      await simulation.settle();
    }
    expect(world.imagesBehind()).toEqual([]);
    expect(world.pointersBehind()).toEqual([]);
    await simulation.dispose();
  });

  test('revoke, restore, revoke: in every order of the deliveries, each of them once or twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat()), fc.boolean(), async (draws, isTwice) => {
        const outbox: Wanted[] = [];
        const { world, simulation } = tellStory({ deliver: (delivery) => void outbox.push(delivery) });
        world.addChannel('base', 'prod', places, 'base-1', 'base-2');
        for (const one of [revoke, { kind: 'lift' }, revoke] as Move[]) make(world, one);
        while (outbox.length > 0) {
          const all = isTwice ? [...outbox, ...outbox] : [...outbox];
          outbox.length = 0;
          // One after the other: each finds what the ones before it left.
          while (all.length > 0) {
            const [next] = all.splice(draws.next().value % all.length, 1);
            if (next !== undefined) deliverTo(simulation, next);
            await simulation.settle();
          }
        }
        expect(world.wish('base-2').wanted).toBe('blocked');
        expect(world.imagesBehind()).toEqual([]);
        expect(world.pointersBehind()).toEqual([]);
        expect(world.claims.size).toBe(0);
        await simulation.dispose();
      }),
      { numRuns: 200 },
    );
  }, 240_000);

  test('schedule, lift, reschedule, revoke, restore at random', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ move, pauseHours: fc.integer({ min: 0, max: 30 }) }), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.infiniteStream(fc.record({ lateHours: fc.integer({ min: 0, max: 60 }), twice: fc.boolean() })),
        async (moves, fates) => {
          const { world, simulation } = tellStory({
            versions: lineage,
            deliver(delivery, running) {
              const { lateHours, twice } = fates.next().value;
              running.after(lateHours * hour, () => deliverTo(running, delivery));
              if (twice) running.after(lateHours * 2 * hour, () => deliverTo(running, delivery));
            },
          });
          world.addChannel('base', 'prod', places, 'base-1', 'base-2');
          world.addChannel('app', 'prod', places, 'app-1', 'app-2');
          let at = 0;
          for (const one of moves) {
            simulation.after((at += one.pauseHours * hour), () => make(world, one.move));
          }
          await simulation.settle();
          const due = world.records.all.filter((one) => one.liftedAt === null && one.materialisedAt === null);
          expect(due).toEqual([]);
          expect(world.imagesBehind()).toEqual([]);
          expect(world.pointersBehind()).toEqual([]);
          expect(world.claims.size).toBe(0);
          await simulation.dispose();
        },
      ),
      { numRuns: 60 },
    );
  }, 240_000);
});
