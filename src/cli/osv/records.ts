/** OSV files as their records, one after the other and never all in memory: one JSON object, an array or lines of them, or a zip of such files. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { parserStream } from 'stream-json';
import { streamArray } from 'stream-json/streamers/stream-array.js';
import { streamValues } from 'stream-json/streamers/stream-values.js';
import { openPromise } from 'yauzl';
import { Failure } from '../../domain/failure.ts';

/** Of one file inside of a zip: an advisory has some megabytes at most. */
const largestEntry = 64 * 1024 * 1024;

export async function* recordsOf(file: string): AsyncGenerator {
  const head = await firstBytes(file);
  try {
    if (head.subarray(0, 4).equals(Buffer.from('PK\u0003\u0004'))) yield* zipped(file);
    else yield* jsonOf(file, isArray(head));
  } catch (error) {
    if (error instanceof Failure) throw error;
    const said = error instanceof Error ? error.message : String(error);
    throw new Failure('invalid_input', `${file} cannot be read as OSV: ${said}`, { cause: error });
  }
}

const isArray = (head: Buffer): boolean => /^\uFEFF?\s*\[/.test(head.toString());

async function firstBytes(file: string): Promise<Buffer> {
  try {
    await using opened = await open(file);
    const { buffer, bytesRead } = await opened.read(Buffer.alloc(1024), 0, 1024, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new Failure('invalid_input', `${file} cannot be opened: ${said}`, { cause: error });
  }
}

async function* jsonOf(file: string, array: boolean): AsyncGenerator {
  const values = array ? streamArray.asStream() : streamValues.asStream();
  // What breaks on the way ends the loop below.
  pipeline(createReadStream(file), parserStream({ jsonStreaming: !array }), values, () => undefined);
  for await (const item of values) {
    const { value }: { readonly value: unknown } = item;
    yield value;
  }
}

async function* zipped(file: string): AsyncGenerator {
  const zip = await openPromise(file);
  try {
    for await (const entry of zip.eachEntry()) {
      if (!entry.fileName.endsWith('.json')) continue;
      if (entry.uncompressedSize > largestEntry) {
        throw new Failure('invalid_input', `${entry.fileName} in it is larger than ${largestEntry} bytes`);
      }
      const content = Buffer.concat(await (await zip.openReadStreamPromise(entry)).toArray());
      const parsed: unknown = JSON.parse(content.toString());
      if (Array.isArray(parsed)) yield* parsed;
      else yield parsed;
    }
  } finally {
    zip.close();
  }
}
