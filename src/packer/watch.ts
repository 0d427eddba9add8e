/** Reads what a running Packer writes, from the first byte, until the run is over; then decides what became of it. */
import { existsSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { Failure } from '../domain/failure.ts';
import type { AttemptOutcome, WatchOptions } from './attempt.ts';
import type { AttemptPlaces, AttemptRecord } from './attempt-folder.ts';
import { readOutcome, readSecretValues, writeOutcome } from './attempt-folder.ts';
import type { OutputArtifact, PackerEvent } from './machine-readable.ts';
import { humanText, machineReadableParser } from './machine-readable.ts';
import { readManifest } from './manifest.ts';
import { decideOutcome } from './outcome.ts';
import { progressOf } from './progress.ts';
import { type LogLine, lineScrubber } from './scrub-lines.ts';
import { mask, packersMask, scrubber } from './scrub.ts';
import { contentOf, sourceOfTarget } from './targets.ts';
import type { RunState } from './supervisor/supervisor.ts';
import { waitFor } from './supervisor/supervisor.ts';

const readBytes = 256 * 1024;
/** What Packer says on stderr is a panic or a refused flag: its end tells most. */
const stderrBytes = 16 * 1024;
/** Read before that, so that its beginning cuts no secret. */
const stderrMargin = 64 * 1024;
const keptComplaints = 10;

export async function watchAttempt(
  record: AttemptRecord,
  places: AttemptPlaces,
  options: WatchOptions,
): Promise<AttemptOutcome> {
  const follower = await followOutput(record, places, options);
  const ended = await waitFor(places.run, options.signal, async () => {
    await follower.read();
    options.onProgress?.(follower.progress());
  });
  await follower.finish();
  options.onProgress?.(follower.progress());
  const decided = await readOutcome(places);
  if (decided !== undefined) return decided;
  const outcome = await decide(record, places, ended, follower);
  // A full disk must not hide what is known; without the record it is decided again.
  await writeOutcome(places, outcome).catch(() => undefined);
  return outcome;
}

interface Follower {
  read(): Promise<void>;
  finish(): Promise<void>;
  progress(): ReturnType<ReturnType<typeof progressOf>['read']>;
  readonly artifacts: ReadonlyMap<string, readonly OutputArtifact[]>;
  readonly errors: ReadonlyMap<string, string>;
  readonly complaints: readonly string[];
}

async function followOutput(
  record: AttemptRecord,
  places: AttemptPlaces,
  options: WatchOptions,
): Promise<Follower> {
  const secrets = await readSecretValues(places);
  const scrub = scrubber(secrets);
  const lines = lineScrubber<{ readonly isComplaint: boolean }>(secrets, (line) =>
    contentOf(record.sources, line),
  );
  const parser = machineReadableParser();
  const progress = progressOf(record.sources);
  const artifacts = new Map<string, OutputArtifact[]>();
  const errors = new Map<string, string>();
  const complaints: string[] = [];
  const log = logWriter(options);
  let at = 0;

  const show = async (shown: readonly LogLine<{ readonly isComplaint: boolean }>[]): Promise<void> => {
    const complained = shown.filter(({ about }) => about.isComplaint).map(({ text }) => text.trim());
    complaints.push(...complained.filter((line) => line !== ''));
    complaints.splice(0, Math.max(0, complaints.length - keptComplaints));
    await log.write(shown.map(({ text }) => `${text}\n`).join(''));
  };

  const take = async (events: readonly PackerEvent[]): Promise<void> => {
    const shown: LogLine<{ readonly isComplaint: boolean }>[] = [];
    for (const raw of events) {
      const event = scrubbed(raw, scrub);
      progress.add(event);
      if (event.kind === 'artifact') {
        const source = sourceOfTarget(record.sources, event.target) ?? event.target;
        artifacts.set(source, [...(artifacts.get(source) ?? []), event.artifact]);
      }
      if (event.kind === 'error') {
        errors.set(sourceOfTarget(record.sources, event.target) ?? event.target, event.message.trim());
      }
      const isComplaint = (raw.kind === 'ui' && raw.level === 'error') || raw.kind === 'text';
      const text = humanText(raw).replaceAll(packersMask, mask);
      if (text === '') continue;
      for (const line of text.slice(0, -1).split('\n')) shown.push(...lines.push(line, { isComplaint }));
    }
    await show(shown);
  };

  if (record.advice !== undefined) await log.write(`${record.advice}\n`);

  const read = async (): Promise<void> => {
    for await (const bytes of newBytes(join(places.run, 'stdout.log'), at)) {
      at += bytes.length;
      await take(parser.push(bytes));
    }
  };
  return {
    read,
    async finish() {
      await read();
      await take(parser.end());
      const stderr = scrub(await tail(join(places.run, 'stderr.log'), stderrBytes + stderrMargin));
      await take(stderr === '' ? [] : [{ kind: 'text', text: stderr.slice(-stderrBytes) }]);
      await show(lines.end());
    },
    progress: () => progress.read(log.bytes()),
    artifacts,
    errors,
    complaints,
  };
}

/** Numbers every byte of the log, and passes on what is not stored yet. */
function logWriter(options: WatchOptions): {
  write(text: string): Promise<void>;
  bytes(): number;
} {
  const logFrom = options.logFrom ?? 0;
  let at = 0;
  return {
    async write(text) {
      if (text === '') return;
      const bytes = Buffer.from(text);
      const offset = at;
      at += bytes.length;
      if (at <= logFrom) return;
      const fresh = bytes.subarray(Math.max(0, logFrom - offset));
      await options.onLog?.(at - fresh.length, fresh.toString('utf8'));
    },
    bytes: () => at,
  };
}

function scrubbed(event: PackerEvent, scrub: (text: string) => string): PackerEvent {
  if (event.kind === 'ui' || event.kind === 'text') return { ...event, text: scrub(event.text) };
  if (event.kind === 'error') return { ...event, message: scrub(event.message) };
  if (event.kind === 'artifact') {
    const { builderId, id, files } = event.artifact;
    return { ...event, artifact: { builderId, id: scrub(id), files: files.map((file) => scrub(file)) } };
  }
  return event;
}

async function* newBytes(path: string, from: number): AsyncGenerator<Uint8Array> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (!existsSync(path)) return;
    throw error;
  }
  try {
    const buffer = Buffer.alloc(readBytes);
    let at = from;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, readBytes, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield new Uint8Array(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

/** The last whole lines: where the first one is cut, a secret may be cut too, and nobody would know the rest of it. */
async function tail(path: string, bytes: number): Promise<string> {
  if (!existsSync(path)) return '';
  const chunks: Uint8Array[] = [];
  const { size } = await stat(path);
  for await (const chunk of newBytes(path, Math.max(0, size - bytes))) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  return (size > bytes ? text.slice(text.indexOf('\n') + 1 || text.length) : text).trim();
}

async function decide(
  record: AttemptRecord,
  places: AttemptPlaces,
  ended: RunState,
  follower: Follower,
): Promise<AttemptOutcome> {
  if (ended.kind === 'absent' || ended.kind === 'running') {
    throw new Failure(
      'not_found',
      `attempt ${record.mark.attemptId} was never begun on this host, or was swept; begin it`,
    );
  }
  const text = existsSync(places.manifest) ? await readFile(places.manifest, 'utf8') : undefined;
  return decideOutcome({
    attemptId: record.mark.attemptId,
    packerVersion: record.packer.version,
    timeLimitMs: record.timeLimitMs,
    sources: record.sources,
    manifest: readManifest(text, record.mark.bakeId, record.folder),
    artifacts: follower.artifacts,
    errors: follower.errors,
    complaints: follower.complaints,
    ...(ended.kind === 'finished' ? { status: ended.status } : {}),
    startedAt: ended.kind === 'lost' ? ended.started.startedAt : ended.status.startedAt,
    isThere: existsSync,
  });
}
