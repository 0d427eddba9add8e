import * as fc from 'fast-check';
import { ulid } from 'ulid';
import { describe, expect, it } from 'vitest';
import { useDatabase } from '../support/database.ts';
import type { Logs } from '../../src/registry/contract/logs.ts';
import { artifactsOf, ann, createWorld, home, project, refusal } from './support/world.ts';

const database = useDatabase();
const logs = () => createWorld(database()).registry.logs;

async function readAll(from: Logs, stream: string, limit: number): Promise<string> {
  let text = '';
  for (let after = 0; ;) {
    const part = await from.read(stream, after, limit);
    if (part.next === after) return text;
    text += part.text;
    after = part.next;
  }
}

describe('a log', () => {
  it('reads as it was written, however it was cut, doubled, overlapped and limited', async () => {
    const letters = fc.array(fc.constantFrom('a', 'ü', '€', '😀', '\n', '\0'), {
      minLength: 1,
      maxLength: 120,
    });
    const cuts = fc.array(fc.tuple(fc.nat(119), fc.nat(119)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(letters, cuts, fc.integer({ min: 1, max: 64 }), async (all, pieces, limit) => {
        const stream = ulid();
        const kept = logs();
        const offset = (index: number) => Buffer.byteLength(all.slice(0, index).join(''));
        // Pieces of the same text, in any order, over one another; then the whole, as a retry writes it.
        for (const [a, b] of pieces) {
          const start = Math.min(a, b, all.length);
          await kept.append(stream, offset(start), all.slice(start, Math.max(a, b)).join(''));
        }
        await kept.append(stream, 0, all.join(''));

        expect(await readAll(kept, stream, limit)).toBe(all.join(''));
      }),
      { numRuns: 60 },
    );
  });

  it('keeps what was stored first where a later text differs', async () => {
    const stream = ulid();
    await logs().append(stream, 0, 'first');
    await logs().append(stream, 0, 'SECOND half');

    expect(await logs().read(stream, 0, 100)).toEqual({ text: 'first' + ' half'.padStart(6, 'D'), next: 11 });
  });

  it('is stored once when 20 append the same chunks at the same instant', async () => {
    const stream = ulid();
    const chunks = ['one ', 'two ', 'three'];

    await Promise.all(
      Array.from({ length: 20 }, async () => {
        let at = 0;
        for (const chunk of chunks) {
          await logs().append(stream, at, chunk);
          at += chunk.length;
        }
      }),
    );

    expect(await logs().read(stream, 0, 100)).toEqual({ text: 'one two three', next: 13 });
    const rows = await database()
      .store.db.selectFrom('log_chunk')
      .select('size')
      .where('stream', '=', stream)
      .execute();
    expect(rows).toHaveLength(3);
  });

  it('waits with a character whose end is not there yet, and skips a hole', async () => {
    const stream = ulid();
    const store = database().store.db;
    const euro = Buffer.from('€');
    const write = (at: number, content: Buffer) =>
      store
        .insertInto('log_chunk')
        .values({ stream, byte_offset: at, size: content.length, content })
        .execute();
    await write(0, Buffer.concat([Buffer.from('a'), euro.subarray(0, 2)]));

    expect(await logs().read(stream, 0, 100)).toEqual({ text: 'a', next: 1 });
    await write(3, euro.subarray(2));
    expect(await logs().read(stream, 1, 100)).toEqual({ text: '€', next: 4 });
    await logs().append(stream, 10, 'after');
    expect(await logs().read(stream, 4, 100)).toEqual({ text: 'after', next: 15 });
    expect(await logs().read(stream, 0, 100)).toEqual({ text: 'a€', next: 4 });
    expect(await logs().read('unknown', 7, 100)).toEqual({ text: '', next: 7 });
  });

  it('of many chunks is read over the borders of pages', async () => {
    const stream = ulid();
    const lines = Array.from({ length: 300 }, (_, index) => `line ${index}\n`);
    let at = 0;
    for (const line of lines) {
      await logs().append(stream, at, line);
      at += line.length;
    }

    expect((await logs().read(stream, 0, 1_000_000)).text).toBe(lines.join(''));
    expect(await readAll(logs(), stream, 1000)).toBe(lines.join(''));
  });

  it('is found through its request: Packer’s per attempt, then the consoles', async () => {
    const world = createWorld(database());
    const { bakes, requests } = world.registry;
    const bucket = await world.line();
    const { request } = await requests.accept({ project, bucket, kind: 'release', variables: {}, by: ann });
    const { id: versionId } = await bakes.openVersion(request.id, 1);
    const [attemptId, launchId] = [ulid(), ulid()];
    await bakes.openAttempt({ attemptId, versionId, hostId: 'host-a', timeLimitMs: 1 });
    const images = [{ target: home, imageId: 'image' }];
    const version = await bakes.recordBuilds(attemptId, [{ source: 'file.one', state: 'done', images }]);
    const artifactId = artifactsOf(version)[0]?.id ?? '';
    await bakes.recordTest({ id: launchId, artifactId, passed: true, bootMs: 1, checks: [] });

    expect(await logs().streams(request.id)).toEqual([
      { stream: attemptId, kind: 'packer', title: 'attempt 1: packer on host host-a' },
      { stream: launchId, kind: 'console', title: 'attempt 1: test of file.one in qemu here' },
    ]);
    expect(await refusal('not_found', logs().streams('nothing'))).toContain('nothing');
  });
});
