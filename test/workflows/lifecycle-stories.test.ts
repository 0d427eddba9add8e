import { describe, expect, test } from 'vitest';

import { installationOperator } from '../../src/domain/actor.ts';
import { pointerKey } from '../support/lifecycle/cloud.ts';
import { america, europe, places, tellStory } from '../support/lifecycle/story.ts';
import type { World } from '../support/lifecycle/world.ts';
import type { Outcome } from '../support/sandbox.ts';

const day = 24 * 3_600_000;

const revoke = (world: World, versionId: string, more: { inMs?: number; descendants?: boolean } = {}) =>
  world.revoke({
    versionId,
    reason: 'a hole',
    rollBack: true,
    descendants: true,
    by: installationOperator,
    ...more,
  });

const shown = (world: World, target: typeof europe) =>
  world.cloud.pointers.get(pointerKey({ target, bucket: 'base', channel: 'prod' }));

describe('what people type', () => {
  test.each([
    ['promote', { bucket: 'base' }, '`version` is missing'],
    ['promote', { bucket: 'base', version: 'v2', channel: 'prod', chanel: 1 }, '`chanel` is not a field'],
    ['scheduleRevocation', { bucket: 'base', version: 'v2', in: '20 days', reason: 'x' }, '`in`: "20 days"'],
    ['scheduleRevocation', { bucket: 'base', version: 'v2', at: '2026-05-01', reason: 'x' }, '`at`: '],
    [
      'scheduleRevocation',
      { bucket: 'base', version: 'v2', at: 'x', in: '1d', reason: 'x' },
      'either `at` or `in`',
    ],
    ['scheduleRevocation', { bucket: 'base', version: 'v2' }, '`reason` is missing'],
    ['cascade', 'record', 'one JSON object'],
    ['rollBackChannels', { bucket: 'base' }, 'either `channel` or `version`'],
    ['retire', { bucket: 'base', version: 3 }, '`version` must be a text'],
  ])('%s refuses %j at once', async (workflow, input, message) => {
    const { simulation } = tellStory();
    simulation.start(workflow, 'typed', input);
    await simulation.settle();
    const { state, failure } = simulation.outcomeOf('typed');
    expect(state).toBe('failed');
    expect(failure?.type).toBe('invalid_input');
    expect(failure?.message).toContain(message);
    expect(simulation.steps).toEqual([]);
    await simulation.dispose();
  });

  test.each([
    ['promote', { bucket: 'base', version: 'v9', channel: 'prod' }],
    ['retire', { bucket: 'nothing', version: 'v1' }],
    ['rollBackChannels', { bucket: 'base', channel: 'nothing' }],
    ['scheduleRevocation', { bucket: 'base', version: 'v9', reason: 'x' }],
  ])('%s of what does not exist ends as not found', async (workflow, input) => {
    const { world, simulation } = tellStory();
    simulation.start(workflow, 'typed', input);
    await simulation.settle();
    expect(simulation.outcomeOf('typed').failure?.type).toBe('not_found');
    expect(world.claims.size).toBe(0);
    await simulation.dispose();
  });
});

const asked = (gates: World['gates']) => {
  const story = tellStory();
  story.world.addChannel('base', 'prod', places, 'base-1');
  story.world.gates = gates;
  story.simulation.start('promote', 'typed', { bucket: 'base', version: 'v2', channel: 'prod' });
  return story;
};

describe('promote', () => {
  const waiting: World['gates'] = { verdict: 'wait', waitMs: 365 * day, waitingFor: ['1 approval'] };

  test('waits for an approval, shows that, and goes on when it is woken', async () => {
    const { world, simulation } = asked(waiting);
    await simulation.settle(3_600_000);
    expect(await simulation.query('typed', 'progress')).toMatchObject({
      phase: 'waiting',
      text: 'waiting for 1 approval',
    });
    world.gates = { verdict: 'ready' };
    simulation.signal('typed', 'wake');
    await simulation.settle();
    expect(simulation.outcomeOf('typed')).toMatchObject({
      state: 'completed',
      result: { bucket: 'base', channel: 'prod', version: 'v2' },
    });
    expect(world.pointersBehind()).toEqual([]);
    await simulation.dispose();
  });

  test('waits for weeks in runs of a week, and keeps its claim', async () => {
    const { world, simulation } = asked(waiting);
    await simulation.settle(20 * day);
    expect(simulation.runsOf('typed')).toBe(3);
    expect([...world.claims.values()]).toEqual(['typed']);
    world.gates = { verdict: 'ready' };
    simulation.signal('typed', 'wake');
    await simulation.settle();
    expect(simulation.outcomeOf('typed').state).toBe('completed');
    await simulation.dispose();
  });

  test('is rejected with a reason, and only with one', async () => {
    const { world, simulation } = asked(waiting);
    await simulation.settle(3_600_000);
    const refused = simulation.update('typed', 'reject', { reason: ' ' }).catch(String);
    const taken = simulation.update('typed', 'reject', { reason: 'not today' });
    await simulation.settle();
    expect(await refused).toContain('`reason` must be a text');
    await taken;
    expect(simulation.outcomeOf('typed').failure).toEqual({ type: 'illegal_state', message: 'not today' });
    expect([...world.promotions.values()].map(({ state }) => state)).toEqual(['rejected']);
    expect(simulation.steps.some(({ name }) => name === 'publishPointer')).toBe(false);
    await simulation.dispose();
  });

  test('is superseded by a newer one', async () => {
    const { world, simulation } = asked(waiting);
    await simulation.settle(3_600_000);
    world.requestPromotion('newer', 'base-prod', 'base-1');
    simulation.signal('typed', 'wake');
    await simulation.settle();
    expect(simulation.outcomeOf('typed').failure?.type).toBe('superseded');
    expect(shown(world, europe)).toBe('image-base-1');
    await simulation.dispose();
  });

  test('ends as refused when its gates can never open', async () => {
    const { simulation } = asked({ verdict: 'refuse', reasons: ['v2 failed its test', 'never on dev'] });
    await simulation.settle();
    expect(simulation.outcomeOf('typed').failure).toEqual({
      type: 'illegal_state',
      message: 'v2 failed its test; never on dev',
    });
    await simulation.dispose();
  });

  test('puts the places back when one of them does not answer, as soon as each can be reached', async () => {
    const { world, simulation } = asked({ verdict: 'ready' });
    world.cloud.unreachable.add('fake/1/us');
    await simulation.settle(2 * 3_600_000);
    expect([...world.promotions.values()].map(({ state }) => state)).toEqual(['failed']);
    expect(shown(world, europe)).toBe('image-base-1');
    world.cloud.unreachable.clear();
    await simulation.settle();
    expect(simulation.outcomeOf('typed').state).toBe('failed');
    expect(world.pointersBehind()).toEqual([]);
    await simulation.dispose();
  });

  test('does not publish an image that is not there', async () => {
    const { world, simulation } = asked({ verdict: 'ready' });
    world.cloud.images.delete('fake/1/us: image-base-2');
    await simulation.settle();
    expect(simulation.outcomeOf('typed').failure?.message).toContain('image-base-2 is missing there');
    expect(world.pointersBehind()).toEqual([]);
    await simulation.dispose();
  });
});

const scheduled = () => {
  const story = tellStory();
  const input = { bucket: 'base', version: 'v2', in: '30d', reason: 'replaced by v3' };
  story.simulation.start('scheduleRevocation', 'typed', input);
  return story;
};

describe('scheduleRevocation', () => {
  test('fires at its date, in runs of a week, and revokes what was baked from it', async () => {
    const { world, simulation } = scheduled();
    await simulation.settle(29 * day);
    expect(simulation.runsOf('typed')).toBe(5);
    expect(world.isRevoked('base-2')).toBe(false);
    await simulation.settle();
    expect(simulation.outcomeOf('typed')).toMatchObject({ state: 'completed', result: { effects: 1 } });
    expect(world.records.get(world.records.all[0]?.id ?? '').materialisedAt).toBe('2026-01-31T00:00:00.000Z');
    expect(world.imagesBehind()).toEqual([]);
    await simulation.dispose();
  });

  test('is brought forward and taken back by updates that check what is written', async () => {
    const { world, simulation } = scheduled();
    await simulation.settle(day);
    const bad = simulation.update('typed', 'reschedule', { at: '2026-02-01T04:00:00' }).catch(String);
    const moved = simulation.update('typed', 'reschedule', { at: '2026-01-05T01:00:00+01:00' });
    await simulation.settle(day);
    expect(await bad).toContain('does not say which time zone');
    expect(await moved).toEqual({ dueAt: '2026-01-05T00:00:00.000Z' });
    await simulation.settle(day);
    const lifted = simulation.update('typed', 'lift', { reason: 'v3 is worse' });
    await simulation.settle();
    await lifted;
    expect(simulation.outcomeOf('typed')).toMatchObject({ state: 'completed', result: { effects: 0 } });
    expect(world.isRevoked('base-2')).toBe(false);
    await simulation.dispose();
  });

  test('a wake-up that starts a second run is passed on to the run that watches', async () => {
    const { world, simulation } = scheduled();
    await simulation.settle(day);
    const [record] = world.records.all;
    world.records.move(record?.id ?? '', '2026-01-03T00:00:00.000Z');
    await simulation.settle();
    expect(simulation.outcomeOf('revocation/default/base-2')).toMatchObject({
      state: 'completed',
      result: { heldBy: 'typed' },
    });
    expect(world.records.get(record?.id ?? '').materialisedAt).toBe('2026-01-03T00:00:00.000Z');
    await simulation.dispose();
  });
});

describe('an unreachable place', () => {
  test('holds neither the other places, nor the roll back, nor the lanes of a cascade', async () => {
    const { world, simulation } = tellStory();
    world.addChannel('base', 'prod', places, 'base-1', 'base-2');
    world.cloud.unreachable.add('fake/1/us');
    revoke(world, 'base-2');
    await simulation.settle(60_000);
    expect(shown(world, europe)).toBe('image-base-1');
    expect(shown(world, america)).toBe('image-base-2');
    const blocked = world.artifacts.filter(({ lastKnown }) => lastKnown === 'disabled');
    expect(blocked.map(({ artifactId }) => artifactId)).toEqual(['base-2@fake/1/eu', 'app-2@fake/1/eu']);
    expect(simulation.outcomeOf('cascade/default/record-0/effective')).toMatchObject({
      state: 'completed',
      result: { versions: 2, goingOn: 2 },
    });
    await simulation.settle(3 * day);
    expect([...world.receipts.values()].filter(({ outcome }) => outcome === 'failed').length).toBeLessThan(
      10,
    );
    world.cloud.unreachable.clear();
    await simulation.settle();
    expect(world.imagesBehind()).toEqual([]);
    expect(world.pointersBehind()).toEqual([]);
    await simulation.dispose();
  });
});

describe('an image that somebody deleted by hand', () => {
  test('does not hold up its own revocation: the receipt says that it cannot be launched', async () => {
    const { world, simulation } = tellStory();
    world.cloud.images.delete('fake/1/us: image-base-2');
    revoke(world, 'base-2', { descendants: false });
    await simulation.settle(60_000);
    const receipts = [...world.receipts.values()].map(({ action, target, outcome, launchable, detail }) =>
      [action, target.region, outcome, launchable, detail].join(' '),
    );
    expect(receipts).toContain('disable us done false the image is not there');
    expect(receipts.filter((receipt) => receipt.includes('failed'))).toEqual([]);
    expect(simulation.outcomeOf('retire/default/base-2').state).toBe('completed');
    await simulation.dispose();
  });
});

describe('deletion', () => {
  test('waits for its grace, is refused while the image is used or nobody knows, and says so', async () => {
    const { world, simulation } = tellStory({ deleteAfterMs: 10 * day });
    const used = world.cloud.images.get('fake/1/us: image-base-2');
    used?.uses.push('i-1');
    revoke(world, 'base-2', { descendants: false });
    await simulation.settle(9 * day);
    const at = (days: number) => Date.parse('2026-01-01') + days * day - simulation.now;
    expect(world.imagesBehind()).toEqual([]);
    expect(world.wish('base-2').wanted).toBe('blocked');
    await simulation.settle(at(12));
    expect(world.cloud.images.has('fake/1/eu: image-base-2')).toBe(false);
    expect(world.cloud.images.has('fake/1/us: image-base-2')).toBe(true);
    const refused = [...world.receipts.values()].filter(({ outcome }) => outcome === 'refused');
    expect(refused.map(({ detail }) => detail)).toEqual(['in use by instance i-1']);
    used?.uses.pop();
    world.cloud.inventoryComplete = false;
    await simulation.settle(at(14));
    expect(world.cloud.images.has('fake/1/us: image-base-2')).toBe(true);
    world.cloud.inventoryComplete = true;
    world.cloud.inventoryAgeMs = day;
    await simulation.settle(at(16));
    expect(world.cloud.images.has('fake/1/us: image-base-2')).toBe(true);
    world.cloud.inventoryAgeMs = 0;
    await simulation.settle();
    expect(world.cloud.images.has('fake/1/us: image-base-2')).toBe(false);
    expect(world.doneReceipts('delete')).toHaveLength(2);
    await simulation.dispose();
  });
});

describe('a second run', () => {
  test.each(['retire', 'rollBackChannels'])('of %s names the one that holds it', async (workflow) => {
    const { world, simulation } = tellStory();
    world.addChannel('base', 'prod', places, 'base-1', 'base-2');
    revoke(world, 'base-2', { descendants: false });
    world.cloud.unreachable.add('fake/1/us');
    await simulation.settle(60_000);
    simulation.start(workflow, 'typed', { bucket: 'base', version: 'v2' });
    await simulation.settle(60_000);
    const { state, result }: Outcome = simulation.outcomeOf('typed');
    expect(state).toBe('completed');
    expect(JSON.stringify(result)).toMatch(/heldBy.*default\/base-2/);
    await simulation.dispose();
  });

  test('of promote fails with the holder in its message', async () => {
    const { world, simulation } = tellStory();
    world.addChannel('base', 'prod', places, 'base-1');
    world.requestPromotion('p', 'base-prod', 'base-2');
    world.gates = { verdict: 'wait', waitMs: day, waitingFor: ['1 approval'] };
    simulation.start('promote', 'first', { promotionId: 'p' });
    await simulation.settle(60_000);
    simulation.start('promote', 'second', { promotionId: 'p' });
    await simulation.settle(60_000);
    expect(simulation.outcomeOf('second').failure).toMatchObject({ type: 'conflict' });
    expect(simulation.outcomeOf('second').failure?.message).toContain('first');
    expect(simulation.isOpen('first')).toBe(true);
    await simulation.dispose();
  });
});
