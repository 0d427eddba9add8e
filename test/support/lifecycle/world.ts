/**
 * The registry and a cloud in memory, with the real activities on top: what the workflows of a version's later life see. Channels and
 * revocations follow the domain's own rules; the outbox is a list that the test delivers, in any order and more than once.
 */
import { installationOperator } from '../../../src/domain/actor.ts';
import type { AssignmentCause, GateVerdict, Promotion } from '../../../src/domain/channel.ts';
import {
  effectiveAssignment,
  type HistoryRow,
  isKnownGone,
} from '../../../src/domain/effective-assignment.ts';
import type { Delivery } from '../../../src/domain/events.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { epochMs, toInstant } from '../../../src/domain/instant.ts';
import { type LineageEdge, lineagePlan } from '../../../src/domain/lineage.ts';
import type { EnforcementWish, Receipt, RevocationRecord } from '../../../src/domain/revocation.ts';
import { type Target, targetKey } from '../../../src/domain/target.ts';
import type { LastKnown } from '../../../src/domain/version.ts';
import { workflowIds } from '../../../src/domain/workflow-ids.ts';
import type { WantedPointer } from '../../../src/registry/contract/enforcement.ts';
import { Cloud, type CloudOptions, pointerKey } from './cloud.ts';
import { type NewRevocation, Records } from './records.ts';

export interface WorldVersion {
  readonly id: string;
  readonly bucket: string;
  readonly name: string;
  readonly parents?: readonly string[];
  readonly targets: readonly Target[];
  readonly shares?: readonly string[];
}

interface WorldArtifact {
  readonly artifactId: string;
  readonly versionId: string;
  readonly image: { readonly target: Target; readonly imageId: string };
  lastKnown: LastKnown;
  recordedShares: readonly string[] | null;
}

interface WorldChannel {
  readonly id: string;
  readonly bucket: string;
  readonly name: string;
  readonly targets: readonly Target[];
  /** Newest first. */
  readonly history: HistoryRow[];
}

export type Wanted = Pick<Delivery, 'action' | 'workflow' | 'workflowId' | 'input'>;
type StoredReceipt = Omit<Receipt, 'id'> & { readonly receiptId: string };

export interface WorldOptions extends Partial<Pick<CloudOptions, 'capabilities' | 'pause'>> {
  readonly versions: readonly WorldVersion[];
  readonly now: () => number;
  /** An image is wanted deleted so long after its version was revoked. */
  readonly deleteAfterMs?: number;
  /** Called for each row of the outbox. */
  readonly deliver?: (delivery: Wanted) => void;
}

export class World {
  readonly cloud: Cloud;
  readonly records: Records;
  readonly versions: readonly WorldVersion[];
  readonly artifacts: WorldArtifact[];
  readonly channels: WorldChannel[] = [];
  readonly promotions = new Map<string, Promotion>();
  readonly receipts = new Map<string, StoredReceipt>();
  readonly published = new Map<string, string | null>();
  readonly leases = new Map<string, { readonly holder: string; readonly until: number }>();
  readonly claims = new Map<string, string>();
  /** Builds that somebody's Packer makes, each with the instant at which it was last heard of. */
  readonly builds: {
    readonly versionId: string;
    state: 'running' | 'done' | 'cancelled';
    heardAt: number;
  }[] = [];
  /** What the gates answer; by default ready. */
  gates: GateVerdict = { verdict: 'ready' };
  readonly #options: WorldOptions;
  #now: () => number;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#now = options.now;
    this.versions = options.versions;
    this.cloud = new Cloud({ ...options, now: () => this.now });
    const edges: LineageEdge[] = this.versions.flatMap(({ id, parents = [] }) =>
      parents.map((parent) => ({ parent, child: id })),
    );
    this.records = new Records(
      edges,
      () => this.#now(),
      (kind, record) => this.#deliverChange(kind, record),
    );
    this.artifacts = this.versions.flatMap(({ id, targets, shares }) =>
      targets.map((target) => {
        const image = { target, imageId: `image-${id}` };
        this.cloud.add(image, shares);
        return {
          artifactId: `${id}@${targetKey(target)}`,
          versionId: id,
          image,
          lastKnown: 'present' as const,
          recordedShares: null,
        };
      }),
    );
  }

  get now(): string {
    return toInstant(this.#now());
  }

  /** Another simulation goes on with this world. */
  follow(now: () => number): void {
    this.#now = now;
  }

  /** Where a scheduler may let somebody else go first. */
  async pause(what: string): Promise<void> {
    await this.#options.pause?.(what);
  }

  /** A record, and its wake-up unless the workflow that asked watches it. */
  revoke(asked: Omit<NewRevocation, 'recordId'> & { readonly recordId?: string }): RevocationRecord {
    return this.records.revoke({
      ...asked,
      recordId: asked.recordId ?? `record-${String(this.records.all.length)}`,
    });
  }

  addChannel(
    bucket: string,
    name: string,
    targets: readonly Target[],
    ...versions: readonly string[]
  ): WorldChannel {
    const channel: WorldChannel = { id: `${bucket}-${name}`, bucket, name, targets, history: [] };
    this.channels.push(channel);
    for (const versionId of versions) this.assign(channel.id, versionId);
    for (const target of targets) {
      const { imageId } = this.wanted(channel.id, target);
      if (imageId !== null) this.cloud.pointers.set(pointerKey({ target, bucket, channel: name }), imageId);
    }
    return channel;
  }

  assign(channelId: string, versionId: string | null, cause: AssignmentCause = 'promoted'): void {
    const { history } = this.channel(channelId);
    const sequence = history.length + 1;
    history.unshift({
      id: `${channelId}#${String(sequence)}`,
      sequence,
      versionId,
      versionName: versionId === null ? null : this.version(versionId).name,
      cause,
      leftByHand: false,
    });
  }

  version(versionId: string): WorldVersion {
    const found = this.versions.find(({ id }) => id === versionId);
    if (found === undefined) throw new Failure('not_found', `there is no version ${versionId}`);
    return found;
  }

  versionNamed(bucket: string, name: string): WorldVersion {
    const found = this.versions.find((one) => one.bucket === bucket && one.name === name);
    if (found === undefined) throw new Failure('not_found', `there is no ${bucket} ${name}`);
    return found;
  }

  channel(channelId: string): WorldChannel {
    const found = this.channels.find(({ id }) => id === channelId);
    if (found === undefined) throw new Failure('not_found', `there is no channel ${channelId}`);
    return found;
  }

  effective(channelId: string): string | null {
    return effectiveAssignment(this.channel(channelId).history, (versionId) => {
      const { status, rollBack } = this.records.standing(versionId);
      return {
        revoked: status.state === 'revoked',
        rollBack,
        knownGone: isKnownGone(this.#artifactsOf(versionId).map(({ lastKnown }) => lastKnown)),
      };
    }).versionId;
  }

  wanted(channelId: string, target: Target): WantedPointer {
    const { bucket, name } = this.channel(channelId);
    const publishing = [...this.promotions.values()].findLast(
      (one) => one.channelId === channelId && one.state === 'publishing' && !this.isRevoked(one.versionId),
    );
    const versionId = publishing?.versionId ?? this.effective(channelId);
    const artifact = this.artifacts.find(
      (one) => one.versionId === versionId && targetKey(one.image.target) === targetKey(target),
    );
    return {
      channelId,
      bucket,
      channel: name,
      target,
      versionId,
      imageId: artifact?.image.imageId ?? null,
      because: publishing === undefined ? 'assignment' : 'promotion',
    };
  }

  nextExpiry(versionId: string): { dueAt: string; waitMs: number } | undefined {
    const running = this.builds.filter((one) => one.versionId === versionId && one.state === 'running');
    if (running.length === 0) return undefined;
    const due = Math.min(...running.map(({ heardAt }) => heardAt)) + 600_000;
    return { dueAt: toInstant(due), waitMs: Math.max(0, due - this.#now()) };
  }

  expire(versionId: string): number {
    const silent = this.builds.filter(
      (one) => one.versionId === versionId && one.state === 'running' && one.heardAt + 600_000 <= this.#now(),
    );
    for (const build of silent) build.state = 'cancelled';
    return silent.length;
  }

  isRevoked(versionId: string): boolean {
    return this.records.standing(versionId).status.state === 'revoked';
  }

  wish(versionId: string): EnforcementWish {
    this.version(versionId);
    const { status } = this.records.standing(versionId);
    const { deleteAfterMs } = this.#options;
    const isRevoked = status.state === 'revoked';
    const deleteInMs =
      isRevoked && deleteAfterMs !== undefined
        ? epochMs(status.at ?? '') + deleteAfterMs - this.#now()
        : null;
    const isDeleted = deleteInMs !== null && deleteInMs <= 0;
    return {
      versionId,
      wanted: isDeleted ? 'deleted' : isRevoked ? 'blocked' : 'usable',
      deprecateAt: status.at,
      deleteInMs: isDeleted ? null : deleteInMs,
      reason: status.reason ?? 'not revoked',
      places: this.#artifactsOf(versionId).map(({ artifactId, image, lastKnown, recordedShares }) => ({
        artifactId,
        image,
        lastKnown,
        recordedShares,
      })),
    };
  }

  recordReceipt(receipt: Omit<StoredReceipt, 'at'> & { readonly lastKnown?: LastKnown }): void {
    if (this.receipts.has(receipt.receiptId)) return;
    const { lastKnown, ...kept } = receipt;
    this.receipts.set(receipt.receiptId, { ...kept, at: this.now });
    const artifact = this.artifacts.find(({ artifactId }) => artifactId === receipt.artifactId);
    if (artifact !== undefined && lastKnown !== undefined) {
      artifact.lastKnown = lastKnown;
    }
    if (artifact !== undefined && kept.action === 'share' && kept.outcome === 'done')
      artifact.recordedShares = null;
  }

  cascadePlan(recordId: string): { versionId: string; bucket: string; versionName: string; depth: number }[] {
    const { rootId, versionId } = this.records.get(recordId);
    const concerned = new Set(
      this.records.all.filter((one) => one.rootId === rootId).map((one) => one.versionId),
    );
    const edges = this.versions.flatMap(({ id, parents = [] }) =>
      parents.map((parent) => ({ parent, child: id })),
    );
    return lineagePlan(versionId, edges)
      .filter((step) => concerned.has(step.versionId))
      .map((step) => {
        const { bucket, name } = this.version(step.versionId);
        return { ...step, bucket, versionName: name };
      });
  }

  requestPromotion(id: string, channelId: string, versionId: string): Promotion {
    const known = this.promotions.get(id);
    if (known !== undefined) return known;
    for (const older of this.promotions.values()) {
      if (older.channelId === channelId && older.state === 'waiting') {
        this.endPromotion(older.id, 'superseded', `${versionId} was asked for after it`);
      }
    }
    const { bucket, name } = this.channel(channelId);
    const promotion: Promotion = {
      id,
      project: 'default',
      bucket,
      channelId,
      channel: name,
      versionId,
      versionName: this.version(versionId).name,
      state: 'waiting',
      expectedAssignmentId: this.channel(channelId).history[0]?.id ?? null,
      reason: '',
      approvals: [],
      by: installationOperator,
      createdAt: this.now,
      endedAt: null,
      detail: '',
    };
    this.promotions.set(id, promotion);
    return promotion;
  }

  promotion(id: string): Promotion {
    const found = this.promotions.get(id);
    if (found === undefined) throw new Failure('not_found', `there is no promotion ${id}`);
    return found;
  }

  beginPublishing(id: string): Promotion {
    const present = this.promotion(id);
    if (present.endedAt !== null) throw new Failure('superseded', present.detail);
    if (this.isRevoked(present.versionId))
      throw new Failure('illegal_state', `${present.versionName} is revoked`);
    return this.#put({ ...present, state: 'publishing' });
  }

  completePromotion(id: string): Promotion {
    const present = this.promotion(id);
    if (present.state === 'done') return present;
    if (present.state !== 'publishing') throw new Failure('superseded', present.detail);
    if (this.isRevoked(present.versionId))
      throw new Failure('illegal_state', `${present.versionName} is revoked`);
    if ((this.channel(present.channelId).history[0]?.id ?? null) !== present.expectedAssignmentId) {
      throw new Failure('conflict', `${present.channel} moved meanwhile`);
    }
    this.assign(present.channelId, present.versionId);
    return this.#put({ ...present, state: 'done', endedAt: this.now });
  }

  endPromotion(
    id: string,
    state: 'refused' | 'rejected' | 'superseded' | 'failed',
    detail: string,
  ): Promotion {
    const present = this.promotion(id);
    return present.endedAt === null ? this.#put({ ...present, state, detail, endedAt: this.now }) : present;
  }

  /** What every place of every channel should show and shows. */
  pointersBehind(): readonly string[] {
    return this.channels.flatMap(({ id, bucket, name, targets }) =>
      targets.flatMap((target) => {
        const shown = this.cloud.pointers.get(pointerKey({ target, bucket, channel: name })) ?? null;
        const { imageId } = this.wanted(id, target);
        return shown === imageId
          ? []
          : [`${targetKey(target)} shows ${String(shown)}, wanted ${String(imageId)}`];
      }),
    );
  }

  /** Images that are not as the registry wants them, in the cloud itself and by what it knows. */
  imagesBehind(): readonly string[] {
    return this.artifacts.flatMap(({ artifactId, versionId, image, lastKnown }) => {
      const { wanted } = this.wish(versionId);
      const found = this.cloud.imageAt(image);
      const is = found === undefined ? 'deleted' : found.isLaunchable ? 'usable' : 'blocked';
      const known = { usable: 'present', blocked: 'disabled', deleted: 'deleted' }[wanted];
      return is === wanted && lastKnown === known
        ? []
        : [`${artifactId} is ${is} (${lastKnown}), wanted ${wanted}`];
    });
  }

  doneReceipts(action: Receipt['action']): readonly StoredReceipt[] {
    return [...this.receipts.values()].filter((one) => one.action === action && one.outcome === 'done');
  }

  #artifactsOf(versionId: string): readonly WorldArtifact[] {
    return this.artifacts.filter((one) => one.versionId === versionId);
  }

  #put(promotion: Promotion): Promotion {
    this.promotions.set(promotion.id, promotion);
    return promotion;
  }

  #deliverChange: ConstructorParameters<typeof Records>[2] = (kind, { id, versionId, materialisedAt }) => {
    const { deliver } = this.#options;
    const schedule: Wanted = {
      action: 'wake',
      workflow: 'scheduleRevocation',
      workflowId: workflowIds.scheduleRevocation('default', versionId),
      input: { versionId },
    };
    const start = (change: string): Wanted => ({
      action: 'start',
      workflow: 'cascade',
      workflowId: workflowIds.cascade('default', id, change),
      input: { recordId: id, change },
    });
    if (kind !== 'effective') deliver?.(schedule);
    if (kind === 'lifted' && materialisedAt !== null) deliver?.(start('lifted'));
    if (kind !== 'effective') return;
    for (const { id: channelId, history } of this.channels) {
      const now = this.effective(channelId);
      if (now !== (history[0]?.versionId ?? null)) this.assign(channelId, now, 'revocation');
    }
    deliver?.(start('effective'));
    for (const step of this.cascadePlan(id)) {
      deliver?.({
        action: 'wake',
        workflow: 'rollBackChannels',
        workflowId: workflowIds.rollBackChannels('default', step.versionId),
        input: { versionId: step.versionId },
      });
    }
  };
}
