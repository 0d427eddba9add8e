/** The registry's half of the bake world: tables in memory that keep the contract's rules as far as bakes, tests and releases rely on them. */
import { Failure } from '../../../src/domain/failure.ts';
import type { ImageLine, TemplatePin } from '../../../src/domain/image-line.ts';
import { imageName } from '../../../src/domain/names.ts';
import type { Receipt } from '../../../src/domain/revocation.ts';
import type { Artifact, BakeRequest, Build, Version } from '../../../src/domain/version.ts';
import type { BakeAttempt, Bakes, TestRecord } from '../../../src/registry/contract/bakes.ts';
import type { BakeHost } from '../../../src/registry/contract/hosts.ts';
import type { LedgerEntry } from '../../../src/registry/contract/ledger.ts';
import type { RequestPins } from '../../../src/registry/contract/requests.ts';

export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export class FakeRegistry {
  readonly requestRows = new Map<string, Mutable<BakeRequest>>();
  readonly versionRows = new Map<string, Mutable<Version>>();
  readonly attemptRows = new Map<string, Mutable<BakeAttempt> & { marks: readonly string[] }>();
  readonly claimRows = new Map<string, string>();
  readonly ledgerRows = new Map<string, Mutable<LedgerEntry>>();
  readonly hostRows: BakeHost[] = [];
  readonly logRows = new Map<string, Map<number, string>>();
  readonly receiptRows = new Map<string, Omit<Receipt, 'id' | 'at'>>();
  readonly testRows = new Map<string, TestRecord>();
  /** In git nobody but a host knows its sources. */
  template: TemplatePin = { kind: 'snapshot', digest: 'sha256:t', entry: '.' };
  /** The version that requests take up. */
  adopted: string | null = null;
  readonly #line: ImageLine;
  readonly #clock: () => number;
  #ids = 0;

  constructor(line: ImageLine, clock: () => number) {
    this.#line = line;
    this.#clock = clock;
  }

  get pins(): RequestPins {
    return {
      line: this.#line,
      template: this.template,
      variables: {},
      parents: [],
    };
  }

  now = async () => new Date(this.#clock()).toISOString();

  addRequest(kind: BakeRequest['kind'], workflowId: string, key = 'key'): BakeRequest {
    const request: BakeRequest = {
      id: `request-${String(++this.#ids)}`,
      project: 'default',
      bucket: this.#line.bucket,
      kind,
      key,
      state: 'open',
      attempt: 1,
      workflowId,
      versionId: this.adopted,
      adoptedVersionId: this.adopted,
      stage: '',
      cancelWanted: false,
      failure: null,
      by: { name: 'test', via: 'system' },
      createdAt: new Date(this.#clock()).toISOString(),
      endedAt: null,
    };
    this.requestRows.set(request.id, { ...request });
    return request;
  }

  claims = {
    holder: async (subject: string) => this.claimRows.get(subject),
    claim: async (subject: string, workflowId: string) => {
      const heldBy = this.claimRows.get(subject) ?? workflowId;
      if (heldBy !== workflowId) return { held: false as const, heldBy };
      this.claimRows.set(subject, workflowId);
      return { held: true as const };
    },
    release: async (subject: string, workflowId: string) => {
      if (this.claimRows.get(subject) === workflowId) this.claimRows.delete(subject);
    },
    takeOver: async (subject: string, from: string, to: string) => {
      if (this.claimRows.get(subject) !== from) return false;
      this.claimRows.set(subject, to);
      return true;
    },
  };

  requests = {
    accept: async (wish: { key?: string; kind: BakeRequest['kind']; heldBy?: string }) => {
      const before = [...this.requestRows.values()].find(({ key }) => key === wish.key);
      if (before !== undefined) return { request: before, outcome: 'existing' as const };
      const request = this.addRequest(wish.kind, wish.heldBy ?? 'relay', wish.key);
      return { request, outcome: 'new' as const };
    },
    byId: async (id: string) => ({ ...need(this.requestRows, id) }),
    isCancelWanted: async (id: string) => need(this.requestRows, id).cancelWanted,
    pins: async () => this.pins,
    setStage: async (id: string, attempt: number, stage: string) => {
      const row = need(this.requestRows, id);
      if (row.attempt === attempt && row.state === 'open') row.stage = stage;
    },
    finish: async (
      id: string,
      _attempt: number,
      outcome: Pick<BakeRequest, 'state'> & { failure?: BakeRequest['failure'] },
    ) => {
      const row = need(this.requestRows, id);
      if (row.state !== 'open') return;
      row.state = outcome.state;
      row.failure = outcome.failure ?? null;
      const version = row.versionId === null ? undefined : this.versionRows.get(row.versionId);
      if (outcome.state !== 'abandoned' || version?.state !== 'running') return;
      version.state = 'cancelled';
      for (const attempt of this.attemptRows.values())
        if (attempt.state === 'current') attempt.state = 'lost';
    },
  };

  bakes: Bakes = {
    openVersion: async (requestId) => {
      const request = need(this.requestRows, requestId);
      if (request.versionId !== null) return { ...need(this.versionRows, request.versionId) };
      if (request.state !== 'open')
        throw new Failure('illegal_state', `request ${requestId} is ${request.state}`);
      const id = `version-${String(++this.#ids)}`;
      const version: Version = {
        id,
        project: request.project,
        bucket: request.bucket,
        fingerprint: `fp-${id}`,
        number: null,
        name: 'v0',
        state: 'running',
        failure: null,
        requestId,
        template: this.pins.template,
        createdAt: request.createdAt,
        completedAt: null,
        builds: [],
        parents: [],
        tested: false,
        verified: false,
        revocation: { state: 'none', at: null, reason: null, recordId: null, inheritedFrom: null },
      };
      this.versionRows.set(id, { ...version });
      request.versionId = id;
      return version;
    },
    openAttempt: async ({ attemptId, versionId, hostId, timeLimitMs }) => {
      const before = this.attemptRows.get(attemptId);
      if (before !== undefined) return { ...before };
      if (this.#current(versionId) !== undefined) throw new Failure('conflict', 'another attempt is current');
      const { requestId } = need(this.versionRows, versionId);
      const row: BakeAttempt = {
        id: attemptId,
        versionId,
        requestAttempt: requestId === null ? null : need(this.requestRows, requestId).attempt,
        bakeId: `bake-of-${versionId}`,
        hostId,
        imageName: imageName(this.#line.bucket, versionId),
        state: 'current',
        deadline: new Date(this.#clock() + timeLimitMs).toISOString(),
        createdAt: new Date(this.#clock()).toISOString(),
      };
      this.attemptRows.set(attemptId, { ...row, marks: [] });
      return row;
    },
    getAttempt: async (id) => ({ ...need(this.attemptRows, id) }),
    pinnedParents: async () => [],
    attemptsOf: async (versionId) =>
      [...this.attemptRows.values()].filter((row) => row.versionId === versionId).map((row) => ({ ...row })),
    bakeIdOf: async (versionId) => (versionId === this.adopted ? null : `bake-of-${versionId}`),
    rememberMarks: async (id, marks) => {
      need(this.attemptRows, id).marks = marks;
    },
    isCurrent: async (id) => {
      const attempt = need(this.attemptRows, id);
      return attempt.state === 'current' && need(this.versionRows, attempt.versionId).state === 'running';
    },
    closeAttempt: async (id, state) => {
      const row = need(this.attemptRows, id);
      if (row.state === 'current') row.state = state;
    },
    unwanted: async (ids) =>
      ids.filter((id) => this.attemptRows.has(id) && this.attemptRows.get(id)?.state !== 'current'),
    withUnwantedImages: async (hostId) =>
      [...this.attemptRows.values()]
        .filter((row) => row.hostId === hostId && row.state !== 'current')
        .filter(({ versionId }) => {
          const { state, builds } = need(this.versionRows, versionId);
          const artifacts = builds.flatMap((build) => build.artifacts);
          return state === 'cancelled' && artifacts.some(({ lastKnown }) => lastKnown !== 'deleted');
        })
        .map(({ id }) => id),
    recordBuilds: async (id, builds) => {
      const attempt = need(this.attemptRows, id);
      const version = need(this.versionRows, attempt.versionId);
      if (attempt.state !== 'current' || version.state !== 'running') {
        throw new Failure('conflict', `attempt ${id} is no longer current`);
      }
      const rest = version.builds.filter(({ source }) => builds.every((build) => build.source !== source));
      const written = builds.map((build): Build => ({
        id: `build-${build.source}`,
        source: build.source,
        state: build.state,
        failure: build.failure ?? null,
        artifacts: build.images.map(({ target, imageId, digest, sizeBytes }): Artifact => ({
          id: `artifact-${imageId}`,
          image: { target, imageId },
          digest: digest ?? null,
          sizeBytes: sizeBytes ?? null,
          lastKnown: 'unknown',
          test: null,
          copiedFrom: null,
        })),
      }));
      version.builds = [...rest, ...written];
      return version;
    },
    recordCopy: async ({ copiedFrom, image: { target, imageId, digest, sizeBytes } }) => {
      for (const version of this.versionRows.values()) {
        const build = version.builds.find(({ artifacts }) => artifacts.some(({ id }) => id === copiedFrom));
        if (build === undefined) continue;
        const id = `artifact-${imageId}`;
        if (build.artifacts.some((one) => one.id === id)) return id;
        const copy: Artifact = {
          id,
          image: { target, imageId },
          digest: digest ?? null,
          sizeBytes: sizeBytes ?? null,
          lastKnown: 'unknown',
          test: null,
          copiedFrom,
        };
        version.builds = version.builds.map((one) =>
          one === build ? { ...one, artifacts: [...one.artifacts, copy] } : one,
        );
        return id;
      }
      throw new Failure('not_found', `no artifact ${copiedFrom}`);
    },
    completeVersion: async (id) => {
      const version = need(this.versionRows, id);
      if (version.state === 'complete') return version;
      const isWhole = version.builds.length > 0 && version.builds.every(({ state }) => state === 'done');
      if (version.state !== 'running' || !isWhole)
        throw new Failure('illegal_state', `${id} is ${version.state}`);
      Object.assign(version, { state: 'complete', number: 1, name: 'v1' });
      return version;
    },
    failVersion: async (id, failure) => this.#end(id, { state: 'failed', failure }),
    cancelVersion: async (id) => this.#end(id, { state: 'cancelled' }),
    getArtifact: async (artifactId) => {
      for (const { id: versionId, bucket, project, builds } of this.versionRows.values()) {
        const found = builds.flatMap(({ artifacts }) => artifacts).find(({ id }) => id === artifactId);
        if (found === undefined) continue;
        const mustBeGone = [...this.attemptRows.values()].flatMap(({ marks }) => marks);
        return { ...found, versionId, bucket, project, mustBeGone, secretScan: null };
      }
      throw new Failure('not_found', `no artifact ${artifactId}`);
    },
    recordTest: async (test) => {
      this.testRows.set(test.id, test);
      const summary = { ...test, endedAt: new Date(this.#clock()).toISOString() };
      for (const version of this.versionRows.values()) {
        const tested = (artifact: Artifact): Artifact =>
          artifact.id === test.artifactId ? { ...artifact, test: summary } : artifact;
        version.builds = version.builds.map((build) => ({
          ...build,
          artifacts: build.artifacts.map(tested),
        }));
      }
    },
  };

  versions = {
    get: async (id: string) => ({ ...need(this.versionRows, id) }),
    find: async (_project: string, _bucket: string, name: string) => {
      const found = [...this.versionRows.values()].find((version) => version.name === name);
      if (found === undefined) throw new Failure('not_found', `no version ${name}`);
      return { ...found };
    },
  };

  hosts = {
    list: async () =>
      this.hostRows.map((host) => ({ ...host, seenAt: new Date(this.#clock()).toISOString() })),
    pick: async ({ builders, except }: { builders: readonly string[]; except: readonly string[] }) =>
      this.hostRows.find(
        (host) => !except.includes(host.id) && builders.every((builder) => host.builders.includes(builder)),
      ),
  };

  ledger = {
    open: async (entry: Pick<LedgerEntry, 'id' | 'owner' | 'kind' | 'mark' | 'target'>) => {
      if (this.ledgerRows.has(entry.id)) return;
      this.ledgerRows.set(entry.id, { ...entry, state: 'open', createdAt: '', closedAt: null });
    },
    close: async (id: string) => {
      const row = this.ledgerRows.get(id);
      if (row !== undefined) row.state = 'closed';
    },
    listOpen: async ({ owner }: { owner?: string } = {}) =>
      [...this.ledgerRows.values()].filter(
        (row) => row.state === 'open' && (owner === undefined || row.owner === owner),
      ),
    closeOwner: async (owner: string) => {
      for (const row of this.ledgerRows.values())
        if (row.owner === owner && row.kind !== 'credential') row.state = 'closed';
    },
  };

  logs = {
    append: async (stream: string, offset: number, text: string) => {
      this.logRows.set(stream, (this.logRows.get(stream) ?? new Map<number, string>()).set(offset, text));
    },
  };

  lines = {
    get: async () => ({ line: this.#line }),
    getTemplate: async (digest: string) => ({ digest, files: { 'base.pkr.hcl': new Uint8Array() } }),
  };

  enforcement = {
    record: async ({
      receiptId,
      ...receipt
    }: Omit<Receipt, 'id' | 'at'> & { receiptId: string; lastKnown?: Artifact['lastKnown'] }) => {
      this.receiptRows.set(receiptId, receipt);
      if (receipt.lastKnown === undefined) return;
      for (const version of this.versionRows.values()) {
        version.builds = version.builds.map((build) => ({
          ...build,
          artifacts: build.artifacts.map((artifact) =>
            artifact.id === receipt.artifactId ? { ...artifact, lastKnown: receipt.lastKnown! } : artifact,
          ),
        }));
      }
    },
  };

  #current(versionId: string): BakeAttempt | undefined {
    return [...this.attemptRows.values()].find(
      (row) => row.versionId === versionId && row.state === 'current',
    );
  }

  #end(id: string, change: Partial<Version>): Version {
    const version = need(this.versionRows, id);
    if (version.state === 'running') Object.assign(version, change);
    return version;
  }
}

function need<T>(rows: ReadonlyMap<string, T>, id: string): T {
  const row = rows.get(id);
  if (row === undefined) throw new Failure('not_found', `${id} does not exist`);
  return row;
}
