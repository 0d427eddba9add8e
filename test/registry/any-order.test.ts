/**
 * What people do to a revocation, in random order and in that order backwards: they queue up at the version's bucket, so that their order is
 * forced. It ends as with a twin to which the same is done one after the other.
 */
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { isFailure } from '../../src/domain/failure.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { useDatabase } from '../support/database.ts';
import { at, expectOutcome, inLanes } from './support/interleave.ts';
import { expectInvariants } from './support/invariants.ts';
import { type SeededLine, seedLines } from './support/seed.ts';
import { rootEvents } from './support/trail.ts';
import { ann, project } from './support/world.ts';

const database = useDatabase({ connections: 30 });
const rounds = 200;
const lanes = 6;
let registry: Registry;
beforeAll(() => {
  registry = createRegistry(database().store);
});

type Move = 'schedule' | 'lift' | 'reschedule' | 'revoke' | 'restore';

/** A line and its twin, each with a child of its newest version. */
interface Subject {
  readonly line: SeededLine;
  readonly child: SeededLine;
  readonly name: string;
}

const hour = 3_600_000;

/** The move at a place of its sequence. What it lifts or moves is the record that was there before them all. */
function actOf({ line, name }: Subject, move: Move, place: number, from: number): () => Promise<unknown> {
  const [, versionId = ''] = line.versions;
  const when = new Date(from + (place + 2) * hour).toISOString();
  const recordId = `${name}-${place}`;
  const asked = {
    versionId,
    recordId,
    reason: `${place} ${move}`,
    rollBack: true,
    descendants: true,
    by: ann,
  };
  const { revocations } = registry;
  const acts: Readonly<Record<Move, () => Promise<unknown>>> = {
    schedule: () => revocations.revoke({ ...asked, at: when }),
    revoke: () => revocations.revoke(asked),
    lift: () => revocations.lift(`${name}-first`, 'no need', ann),
    reschedule: () => revocations.reschedule(`${name}-first`, when, ann),
    restore: () => revocations.restore(versionId, 'fine', ann),
  };
  return acts[move];
}

/** Everybody begins with one that is scheduled. Answers when, in milliseconds since 1970. */
async function begin({ line, name }: Subject): Promise<number> {
  const from = Date.now();
  const [, versionId = ''] = line.versions;
  const asked = { versionId, reason: 'first', rollBack: true, descendants: true, by: ann };
  const dueAt = new Date(from + hour).toISOString();
  await registry.revocations.revoke({ ...asked, recordId: `${name}-first`, at: dueAt });
  return from;
}

/** How an act ended: `done`, or the code of its refusal. Anything but a refusal that says that it comes too late is thrown. */
function endOf(result: PromiseSettledResult<unknown>): string {
  expectOutcome(result, ['illegal_state']);
  return result.status === 'rejected' && isFailure(result.reason) ? result.reason.code : 'done';
}

/** What is true of it, in words that are the same for its twin. */
async function standingOf({ line, child }: Subject, from: number) {
  const versions = [line.versions[1] ?? '', child.versions[0] ?? ''];
  const dateOf = (date: string | null) =>
    date === null ? 'never' : `${Math.round((Date.parse(date) - from) / hour)} h after the beginning`;
  const each = versions.map(async (id) => {
    const { revocation } = await registry.versions.get(id);
    const records = await registry.revocations.records(id);
    return {
      state: revocation.state,
      at: dateOf(revocation.at),
      reason: revocation.reason,
      isInherited: revocation.inheritedFrom !== null,
      records: records
        .map(({ kind, reason, dueAt, liftedAt, materialisedAt }) =>
          [
            kind,
            reason,
            dateOf(dueAt),
            liftedAt === null ? 'open' : 'lifted',
            materialisedAt !== null,
          ].join(),
        )
        .toSorted(),
    };
  });
  const roots = await registry.revocations.records(versions[0] ?? '');
  const cascades = await rootEvents(database().store, ...roots.map(({ id }) => id));
  const histories = [line, child].map(({ bucket }) => registry.channels.history(project, bucket, 'prod'));
  return {
    versions: await Promise.all(each),
    cascades: cascades.map(({ data }) => data['change']),
    channels: (await Promise.all(histories)).map((rows) =>
      rows.map(({ versionName, cause }) => `${versionName ?? 'none'} ${cause}`),
    ),
  };
}

const move = fc.constantFrom<Move>('schedule', 'lift', 'reschedule', 'revoke', 'restore');

interface Kind {
  readonly what: string;
  readonly sequences: fc.Arbitrary<readonly Move[]>;
  /**
   * How many race at a time. A restore whose family has changed while it waited gives its locks back and waits again, behind whoever
   * waits: among more than two its place could not be forced.
   */
  readonly atOnce: number;
}

const kinds: readonly Kind[] = [
  { what: 'schedule, lift and reschedule', sequences: orders('schedule', 'lift', 'reschedule'), atOnce: 3 },
  { what: 'revoke, restore, revoke', sequences: orders('revoke', 'restore', 'revoke'), atOnce: 3 },
  { what: 'any four moves', sequences: fc.array(move, { minLength: 4, maxLength: 4 }), atOnce: 2 },
];

function orders(...moves: Move[]): fc.Arbitrary<readonly Move[]> {
  return fc.shuffledSubarray(moves, { minLength: moves.length });
}

describe.each(kinds)('$what', ({ sequences, atOnce }) => {
  test(`${rounds} times in random order, each order also backwards: it ends as if nobody had raced`, async () => {
    const { store } = database();
    const seed = Date.now();
    const sampled = fc.sample(sequences, { numRuns: rounds / 2, seed });
    const lines = await seedLines(store, 2 * rounds, { versions: 2 });
    const children = await seedLines(store, 2 * rounds, {
      versions: 1,
      parents: (index) => at(lines, index).versions.slice(1),
    });
    const subject = (index: number): Subject => ({
      line: at(lines, index),
      child: at(children, index),
      name: `${seed}-${index}`,
    });
    const twins = new Map<string, ReturnType<typeof oneByOne>>();
    await inLanes(database(), lanes, rounds, async (round, gate) => {
      const moves = at(sampled, Math.floor(round / 2));
      const forced = round % 2 === 0 ? moves : moves.toReversed();
      const order = forced.join(', ');
      const twin = twins.get(order) ?? oneByOne(subject(2 * round + 1), forced);
      twins.set(order, twin);

      const raced = subject(2 * round);
      const from = await begin(raced);
      const acts = forced.map((one, place) => actOf(raced, one, place, from));
      const ends: string[] = [];
      for (let place = 0; place < acts.length; place += atOnce) {
        const results = await gate.all([raced.line.bucketId], acts.slice(place, place + atOnce));
        ends.push(...results.map(endOf));
      }

      expect({ ends, ...(await standingOf(raced, from)) }, `seed ${seed}: ${order}`).toEqual(await twin);
    });
    await expectInvariants(store);
  }, 240_000);
});

async function oneByOne(twin: Subject, moves: readonly Move[]) {
  const from = await begin(twin);
  const ends: string[] = [];
  for (const [place, one] of moves.entries()) {
    const [result] = await Promise.allSettled([actOf(twin, one, place, from)()]);
    ends.push(endOf(result));
  }
  return { ends, ...(await standingOf(twin, from)) };
}
