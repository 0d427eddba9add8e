/** A Packer runner in memory: attempts of one host or several, with the contract of the real one. */
import { Failure } from '../../../src/domain/failure.ts';
import type {
  AttemptInput,
  AttemptOutcome,
  PackerRunner,
  SourceOutcome,
} from '../../../src/packer/runner.ts';

interface Local {
  readonly input: AttemptInput;
  state: 'prepared' | 'running' | 'finished' | 'lost';
  ended?: AttemptOutcome['ended'];
}

export class FakePacker implements PackerRunner {
  readonly local = new Map<string, Local>();
  /** Packer processes that were ever started, by attempt. */
  readonly started: string[] = [];
  /** What a new Packer leaves in the provider until it is swept. */
  readonly onStart: (attemptId: string) => void;
  ends: AttemptOutcome['ended'] = 'succeeded';
  /** Sources that fail. */
  readonly failing = new Set<string>();
  templateProblem: string | undefined;
  readonly sources: readonly string[];

  constructor(sources: readonly string[], onStart: (attemptId: string) => void) {
    this.sources = sources;
    this.onStart = onStart;
  }

  packers = async () => [];
  providedFolder = async (attemptId: string) => `/attempts/${attemptId}/provided`;

  templateSources = async () => this.sources;
  registryUse = async () => ({ publishes: false, reads: false });

  async validate(input: AttemptInput): Promise<void> {
    if (this.templateProblem !== undefined) throw new Failure('invalid_input', this.templateProblem);
    if (!this.local.has(input.mark.attemptId))
      this.local.set(input.mark.attemptId, { input, state: 'prepared' });
  }

  async begin(input: AttemptInput) {
    const { attemptId } = input.mark;
    const local = this.local.get(attemptId) ?? { input, state: 'prepared' as const };
    if (local.state === 'prepared') {
      this.started.push(attemptId);
      this.local.set(attemptId, { ...local, input, state: 'running' });
      this.onStart(attemptId);
    }
    return { attemptId, packer: { path: '/usr/bin/packer', version: '1' }, sources: this.sources };
  }

  async watch(attemptId: string, options: Parameters<PackerRunner['watch']>[1]): Promise<AttemptOutcome> {
    const local = this.local.get(attemptId);
    if (local === undefined) throw new Failure('not_found', `attempt ${attemptId} was never begun`);
    options.onProgress?.({ phase: 'building', lastLine: 'x', sources: {}, logBytes: 10 });
    await options.onLog?.(0, 'building\n');
    options.signal.throwIfAborted();
    local.ended ??= this.ends;
    local.state = 'finished';
    const chosen = local.input.only.length > 0 ? local.input.only : this.sources;
    const sources = chosen.map((source): SourceOutcome => {
      const isDone = !this.failing.has(source) && (local.ended === 'succeeded' || local.ended === 'partly');
      const artifact = {
        source,
        builderType: source.split('.')[0] ?? '',
        artifactId: 'a',
        files: [`/out/${source}`],
      };
      return isDone
        ? { source, state: 'done', artifacts: [artifact] }
        : { source, state: 'failed', artifacts: [], error: 'Script exited with non-zero exit status: 1' };
    });
    return {
      attemptId,
      ended: local.ended,
      exitCode: local.ended === 'succeeded' ? 0 : 1,
      signal: null,
      startedAt: null,
      endedAt: null,
      sources,
      packerVersion: '1',
    };
  }

  async cancel(attemptId: string): Promise<void> {
    const local = this.local.get(attemptId);
    if (local?.state !== 'running') return;
    local.state = 'finished';
    local.ended = 'cancelled';
  }

  async plantedSecrets() {
    return { lookedFor: [], found: [], tooShort: [] };
  }

  async sweepLocal(attemptId: string): Promise<void> {
    if (this.local.get(attemptId)?.state === 'running') {
      throw new Failure('illegal_state', `attempt ${attemptId} still runs`);
    }
    this.local.delete(attemptId);
  }

  async attempts() {
    return [...this.local].map(([attemptId, { state, input }]) => ({
      attemptId,
      state,
      bakeId: input.mark.bakeId,
      imageName: input.mark.imageName,
      startedAt: null,
      deadlineAt: null,
    }));
  }
}
