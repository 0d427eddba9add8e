import { sql } from 'kysely';
import type { Db, Store, Tx } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { Logs } from '../contract/logs.ts';
import { requestNotFound } from '../requests/load.ts';

/** One read at most; a caller that asks for more reads on. */
const longestRead = 1024 * 1024;

export function createLogs(store: Store): Logs {
  const { db } = store;
  return {
    async append(stream, offset, text) {
      const bytes = Buffer.from(text);
      if (bytes.length > 0) await transact(store, (tx) => append(tx, stream, offset, bytes));
    },
    async read(stream, after, limitBytes) {
      const run = await readRun(db, stream, after, Math.min(Math.max(limitBytes, 8), longestRead));
      const { text, length } = wholeCharacters(run);
      return { text, next: run.from + length };
    },
    streams: (requestId) => streams(db, requestId),
  };
}

/** What is stored stays; only bytes that no chunk holds yet are added. One writer of a stream at a time. */
async function append(tx: Tx, stream: string, offset: number, bytes: Buffer): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${stream}, 7265482312))`.execute(tx);
  const end = offset + bytes.length;
  const known = await tx
    .selectFrom('log_chunk')
    .select(['byte_offset', 'size'])
    .where('stream', '=', stream)
    .where('byte_offset', '<', end)
    .where(sql<boolean>`byte_offset + size > ${offset}`)
    .orderBy('byte_offset')
    .execute();
  const missing: { byte_offset: number; content: Buffer }[] = [];
  let at = offset;
  for (const chunk of [...known, { byte_offset: end, size: 0 }]) {
    if (chunk.byte_offset > at) {
      missing.push({ byte_offset: at, content: bytes.subarray(at - offset, chunk.byte_offset - offset) });
    }
    at = Math.max(at, chunk.byte_offset + chunk.size);
  }
  if (missing.length === 0) return;
  await tx
    .insertInto('log_chunk')
    .values(missing.map((chunk) => ({ stream, size: chunk.content.length, ...chunk })))
    .execute();
}

interface Run {
  readonly bytes: Buffer;
  /** Offset of its first byte. */
  readonly from: number;
  /** It begins, or ends, at a hole: characters may be cut there. */
  readonly afterHole: boolean;
  readonly beforeHole: boolean;
}

const chunksPerPage = 64;

/** Bytes that follow one another from `after` on, at most `limit`; a hole at `after` is skipped, one behind it ends the read. */
async function readRun(db: Db, stream: string, after: number, limit: number): Promise<Run> {
  let chunks = await page(db, stream, await firstChunk(db, stream, after));
  chunks = chunks.filter(({ at, content }) => at + content.length > after);
  const from = Math.max(after, chunks[0]?.at ?? after);
  const parts: Buffer[] = [];
  let end = from;
  let beforeHole = false;
  while (chunks.length > 0 && end - from < limit && !beforeHole) {
    for (const { at, content } of chunks) {
      beforeHole = at > end;
      if (beforeHole) break;
      parts.push(content.subarray(end - at));
      end = at + content.length;
    }
    if (!beforeHole) chunks = await page(db, stream, end);
  }
  return { bytes: Buffer.concat(parts).subarray(0, limit), from, afterHole: from > after, beforeHole };
}

/** Where the chunk begins that holds `after`, or may: chunks never overlap. */
async function firstChunk(db: Db, stream: string, after: number): Promise<number> {
  const row = await db
    .selectFrom('log_chunk')
    .select('byte_offset')
    .where('stream', '=', stream)
    .where('byte_offset', '<=', after)
    .orderBy('byte_offset', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.byte_offset ?? 0;
}

function page(db: Db, stream: string, start: number) {
  return db
    .selectFrom('log_chunk')
    .select(['byte_offset as at', 'content'])
    .where('stream', '=', stream)
    .where('byte_offset', '>=', start)
    .orderBy('byte_offset')
    .limit(chunksPerPage)
    .execute();
}

/** Leaves out a character whose last bytes are not there yet, and the rest of one that began in a hole. */
function wholeCharacters({ bytes, afterHole, beforeHole }: Run): { text: string; length: number } {
  let start = 0;
  if (afterHole) while (start < Math.min(3, bytes.length) && isContinuation(bytes[start])) start += 1;
  const length = beforeHole ? bytes.length : bytes.length - cutTail(bytes);
  return { text: bytes.subarray(start, length).toString('utf8'), length };
}

/** How many bytes at the end belong to a character that is not whole. */
function cutTail(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (!isContinuation(byte)) return lengthOf(byte) > back ? back : 0;
  }
  return 0;
}

function lengthOf(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

async function streams(db: Db, requestId: string): ReturnType<Logs['streams']> {
  const request = await db.selectFrom('request').select('id').where('id', '=', requestId).executeTakeFirst();
  if (request === undefined) throw requestNotFound(requestId);
  const bakes = await db
    .selectFrom('bake_attempt')
    .innerJoin('version', 'version.id', 'bake_attempt.version_id')
    .where('version.request_id', '=', requestId)
    .select(['bake_attempt.id', 'version.attempt', 'host_id', 'bake_attempt.created_at as at'])
    .execute();
  const tests = await db
    .selectFrom('test_run')
    .innerJoin('artifact', 'artifact.id', 'test_run.artifact_id')
    .innerJoin('build', 'build.id', 'artifact.build_id')
    .innerJoin('version', 'version.id', 'artifact.version_id')
    .where('version.request_id', '=', requestId)
    .select([
      'test_run.id',
      'version.attempt',
      'build.source',
      'test_run.ended_at as at',
      'provider',
      'region',
    ])
    .execute();
  const all = [
    ...bakes.map(({ id, attempt, host_id, at }) => ({
      stream: id,
      kind: 'packer' as const,
      title: `attempt ${attempt}: packer on host ${host_id}`,
      at,
    })),
    ...tests.map(({ id, attempt, source, provider, region, at }) => ({
      stream: id,
      kind: 'console' as const,
      title: `attempt ${attempt}: test of ${source} in ${provider} ${region}`,
      at,
    })),
  ];
  return all
    .toSorted((a, b) => a.at.localeCompare(b.at) || a.stream.localeCompare(b.stream))
    .map(({ stream, kind, title }) => ({ stream, kind, title }));
}
