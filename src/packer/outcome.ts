/** What became of an attempt, from all that speaks of it: manifest, output, exit status. Never from the exit code alone. Pure. */
import { formatDuration } from '../domain/duration.ts';
import type { FailureCode, FailureReport } from '../domain/failure.ts';
import type { AttemptOutcome, MadeArtifact, SourceOutcome } from './attempt.ts';
import type { OutputArtifact } from './machine-readable.ts';
import type { Manifest } from './manifest.ts';
import type { RunStatus } from './supervisor/records.ts';

export interface ExpectedSource {
  readonly source: string;
  readonly builderType: string;
  readonly target: string;
  readonly manifestName: string;
}

export interface Evidence {
  readonly attemptId: string;
  readonly packerVersion: string;
  readonly timeLimitMs: number;
  readonly sources: readonly ExpectedSource[];
  readonly manifest: Manifest;
  /** From the output, by source. */
  readonly artifacts: ReadonlyMap<string, readonly OutputArtifact[]>;
  readonly errors: ReadonlyMap<string, string>;
  /** Last error lines of the output that name no source, newest last. */
  readonly complaints: readonly string[];
  /** Absent: it is not known how the run ended. */
  readonly status?: RunStatus;
  readonly startedAt: string | null;
  /** Whether a file is there; for builders that write on this host. */
  isThere(path: string): boolean;
}

/** Ids that say nothing by themselves: builders of local files give each artifact the same one. Without files it is none. */
const emptyIds = ['', 'Null', 'File', 'VM'];
/** Lines that Packer prints around every failure. */
const framing = /^(==> (Some builds|Builds finished|Wait completed)|-->|Build '|$)/;

export function decideOutcome(evidence: Evidence): AttemptOutcome {
  const { status } = evidence;
  const sources = evidence.sources.map((source) => decideSource(source, evidence));
  const done = sources.filter((one) => one.state === 'done').length;
  const ended = howItEnded(status, done, sources.length);
  const failure = ended === 'succeeded' ? undefined : report(ended, sources, evidence);
  return {
    attemptId: evidence.attemptId,
    ended,
    exitCode: status?.exitCode ?? null,
    signal: status?.signal ?? null,
    startedAt: status?.startedAt ?? evidence.startedAt,
    endedAt: status?.endedAt ?? null,
    sources,
    packerVersion: evidence.packerVersion,
    ...(failure === undefined ? {} : { failure }),
  };
}

function howItEnded(status: RunStatus | undefined, done: number, all: number): AttemptOutcome['ended'] {
  if (status === undefined) return 'lost';
  if (status.endedBy === 'cancel') return 'cancelled';
  if (status.endedBy === 'time limit') return 'time limit';
  // Exit 1 with every source made: something after the sources failed, and the run is not to be trusted.
  if (done === all && status.exitCode === 0) return 'succeeded';
  return done > 0 ? 'partly' : 'failed';
}

function decideSource(source: ExpectedSource, evidence: Evidence): SourceOutcome {
  const made = artifactsOf(source, evidence);
  const failed = (error: string): SourceOutcome => ({
    source: source.source,
    state: 'failed',
    artifacts: made,
    error,
  });
  const error = evidence.errors.get(source.source);
  if (error !== undefined) return failed(error);
  if (made.length === 0) return failed(whyNothing(source, evidence));
  const missing = made.flatMap((one) => one.files).find((file) => !evidence.isThere(file));
  if (missing !== undefined) return failed(`Packer says that it made ${missing}, but there is no such file`);
  return { source: source.source, state: 'done', artifacts: made };
}

/**
 * The manifest says what came out at the end of the post-processors, and is there when the run was killed; the output,
 * which lists each step's artifacts, stands in where the manifest does not name the source.
 */
function artifactsOf(source: ExpectedSource, evidence: Evidence): readonly MadeArtifact[] {
  const namesakes = evidence.sources.filter(
    (one) => one.builderType === source.builderType && one.manifestName === source.manifestName,
  );
  // Two uses of one source block have one name in the manifest, and nothing tells which entry is whose.
  const proved =
    namesakes.length > 1
      ? []
      : evidence.manifest.entries
          .filter((entry) => entry.builderType === source.builderType && entry.name === source.manifestName)
          .map(({ artifactId, files }) => ({ artifactId, files }));
  const printed = (evidence.artifacts.get(source.source) ?? []).map(({ id, files }) => ({
    artifactId: id,
    files,
  }));
  const all = proved.length > 0 ? proved : printed;
  const real = all.filter((one) => one.files.length > 0 || !emptyIds.includes(one.artifactId));
  const unique = new Map(real.map((one) => [JSON.stringify([one.artifactId, one.files]), one]));
  return [...unique.values()].map((one) => ({
    source: source.source,
    builderType: source.builderType,
    ...one,
  }));
}

function whyNothing(source: ExpectedSource, { status, manifest }: Evidence): string {
  const proof = manifest.problem ?? 'the manifest holds no image of it';
  if (status === undefined) return `it is not known whether ${source.source} was made: ${proof}`;
  if (status.endedBy !== 'itself') return `${source.source} was not finished when Packer was ended`;
  if (status.exitCode === 0) {
    return `Packer ended with 0 but made nothing for ${source.source}: ${proof}`;
  }
  return `Packer ended with ${status.exitCode ?? status.signal ?? 'no exit status'} and did not make ${source.source}`;
}

function report(
  ended: Exclude<AttemptOutcome['ended'], 'succeeded'>,
  sources: readonly SourceOutcome[],
  evidence: Evidence,
): FailureReport {
  const done = sources.filter((one) => one.state === 'done').map((one) => one.source);
  const made = done.length === 0 ? '' : `; made before: ${done.join(', ')}`;
  if (ended === 'cancelled') return { code: 'cancelled', message: `the bake was cancelled${made}` };
  if (ended === 'time limit') {
    const limit = formatDuration(evidence.timeLimitMs);
    return { code: 'bake_failed', message: `time limit of ${limit} reached; raise \`timeLimit\`${made}` };
  }
  if (ended === 'lost') {
    const message = `Packer and its supervisor were killed on the bake host; ${done.length} of ${sources.length} sources are proved by the manifest`;
    return { code: 'host_lost', message };
  }
  const why = [...reasons(sources, evidence)];
  return { code: codeOf(why.join('\n')), message: `${why.slice(0, 5).join('; ')}${made}` };
}

function* reasons(sources: readonly SourceOutcome[], { status, complaints }: Evidence): Generator<string> {
  if (status?.error !== undefined) yield `Packer could not be started: ${status.error}`;
  if (status !== undefined && status.signal !== null) {
    yield `Packer was ended by ${status.signal}, which nobody asked for (the kernel, for want of memory, or a person)`;
  }
  const failed = sources.filter((one) => one.state === 'failed');
  for (const one of failed) {
    const error = one.error ?? 'failed';
    yield error.includes(one.source) ? error : `${one.source}: ${error}`;
  }
  if (failed.length === 0)
    yield `Packer ended with ${status?.exitCode ?? 'no exit status'} after making everything`;
  const named = failed.map((one) => one.error ?? '');
  const rest = complaints
    .filter((line) => !framing.test(line))
    .filter((line) => !named.some((error) => line.includes(error) || error.includes(line)));
  if (rest.length > 0) yield `its last lines: ${rest.slice(-3).join(' / ')}`;
}

/** A full disk is the operator's, not the template's. */
function codeOf(why: string): FailureCode {
  return /no space left on device|disk quota exceeded/i.test(why) ? 'resource_exhausted' : 'bake_failed';
}
