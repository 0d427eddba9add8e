/** Revocations in memory, by the domain's own rule: records for a version and its descendants, what is in force, what is due. */
import { Failure } from '../../../src/domain/failure.ts';
import { epochMs, toInstant } from '../../../src/domain/instant.ts';
import { lineagePlan, type LineageEdge } from '../../../src/domain/lineage.ts';
import { revocationInForce, type Standing } from '../../../src/domain/revocation-in-force.ts';
import type { RevocationRecord } from '../../../src/domain/revocation.ts';
import type { Actor } from '../../../src/domain/actor.ts';

export type Change = (kind: 'written' | 'moved' | 'lifted' | 'effective', record: RevocationRecord) => void;

export interface NewRevocation {
  readonly versionId: string;
  readonly recordId: string;
  readonly at?: string;
  readonly inMs?: number;
  readonly reason: string;
  readonly rollBack: boolean;
  readonly descendants: boolean;
  readonly by: Actor;
  /** That workflow watches it: nobody is woken. */
  readonly heldBy?: string;
}

export class Records {
  readonly all: RevocationRecord[] = [];
  readonly #edges: readonly LineageEdge[];
  readonly #now: () => number;
  readonly #changed: Change;

  constructor(edges: readonly LineageEdge[], now: () => number, changed: Change) {
    this.#edges = edges;
    this.#now = now;
    this.#changed = changed;
  }

  of(versionId: string): readonly RevocationRecord[] {
    return this.all.filter((record) => record.versionId === versionId);
  }

  standing(versionId: string): Standing {
    const facts = this.of(versionId).map((record) => ({
      ...record,
      inheritedFrom:
        record.kind === 'inherited'
          ? { versionId: this.#root(record).versionId, bucket: 'bucket', versionName: 'v1' }
          : null,
    }));
    return revocationInForce(facts, [], toInstant(this.#now()));
  }

  revoke(asked: NewRevocation): RevocationRecord {
    const known = this.all.find(({ id }) => id === asked.recordId);
    if (known !== undefined) return known;
    // Every change first writes down what is due, as the registry does it.
    this.materialise();
    const now = toInstant(this.#now());
    const dueAt = asked.at ?? toInstant(this.#now() + (asked.inMs ?? 0));
    if (epochMs(dueAt) < this.#now()) throw new Failure('invalid_input', `${dueAt} is over`);
    for (const record of this.of(asked.versionId)) {
      if (record.kind !== 'explicit' || record.liftedAt !== null) continue;
      // As the registry refuses it: it would end what is in effect.
      if (record.materialisedAt !== null && epochMs(dueAt) > this.#now()) {
        throw new Failure('illegal_state', `${asked.versionId} is revoked already; restore it first`);
      }
      this.#edit(record.id, { liftedAt: now });
      this.#changed('lifted', this.get(record.id));
    }
    const plan = asked.descendants
      ? lineagePlan(asked.versionId, this.#edges)
      : [{ versionId: asked.versionId, depth: 0 }];
    for (const { versionId, depth } of plan) {
      this.all.push({
        id: depth === 0 ? asked.recordId : `${asked.recordId}/${versionId}`,
        versionId,
        kind: depth === 0 ? 'explicit' : 'inherited',
        rootId: asked.recordId,
        dueAt,
        reason: asked.reason,
        rollBack: asked.rollBack,
        descendants: asked.descendants,
        by: asked.by,
        createdAt: now,
        liftedAt: null,
        materialisedAt: null,
      });
    }
    const record = this.get(asked.recordId);
    if (asked.heldBy === undefined) this.#changed('written', record);
    if (dueAt === now) this.materialise();
    return record;
  }

  move(recordId: string, dueAt: string): RevocationRecord {
    this.materialise();
    const record = this.get(recordId);
    if (record.dueAt === dueAt) return record;
    if (record.materialisedAt !== null || record.liftedAt !== null) {
      throw new Failure('illegal_state', `${recordId} waits for its date no more`);
    }
    this.#edit(recordId, { dueAt });
    this.#changed('moved', this.get(recordId));
    return this.get(recordId);
  }

  lift(recordId: string): RevocationRecord {
    this.materialise();
    if (this.get(recordId).liftedAt !== null) return this.get(recordId);
    this.#edit(recordId, { liftedAt: toInstant(this.#now()) });
    this.#changed('lifted', this.get(recordId));
    return this.get(recordId);
  }

  get(recordId: string): RevocationRecord {
    const record = this.all.find(({ id }) => id === recordId);
    if (record === undefined) throw new Failure('not_found', `there is no record ${recordId}`);
    return record;
  }

  nextDue(versionId: string): { dueAt: string; waitMs: number } | undefined {
    const open = this.of(versionId).filter((one) => one.liftedAt === null && one.materialisedAt === null);
    const [first] = open.toSorted((a, b) => epochMs(a.dueAt) - epochMs(b.dueAt));
    return first && { dueAt: first.dueAt, waitMs: Math.max(0, epochMs(first.dueAt) - this.#now()) };
  }

  /** Each root takes effect once, its whole family together. */
  materialise(): number {
    const now = this.#now();
    const due = this.all.filter(
      (one) => one.liftedAt === null && one.materialisedAt === null && epochMs(one.dueAt) <= now,
    );
    for (const { id } of due) this.#edit(id, { materialisedAt: toInstant(now) }, false);
    for (const { id, rootId } of due) if (id === rootId) this.#changed('effective', this.get(id));
    return due.length;
  }

  #root({ rootId }: RevocationRecord): RevocationRecord {
    return this.get(rootId);
  }

  #edit(recordId: string, change: Partial<RevocationRecord>, family = true): void {
    for (const [index, record] of this.all.entries()) {
      const isMeant = family ? record.rootId === recordId : record.id === recordId;
      if (isMeant) this.all[index] = { ...record, ...change };
    }
  }
}
