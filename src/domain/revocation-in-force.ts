import { epochMs, laterOf } from './instant.ts';
import type { RevocationKind, RevocationStatus } from './revocation.ts';

/** What the rule needs of a record. */
export interface RevocationFact {
  readonly id: string;
  readonly kind: RevocationKind;
  readonly dueAt: string;
  readonly reason: string;
  readonly rollBack: boolean;
  readonly liftedAt: string | null;
  /** Whose revocation it is; null unless inherited. */
  readonly inheritedFrom: RevocationStatus['inheritedFrom'];
}

/** What the rule needs of an exemption. The caller passes those that cover the version: its own, and its ancestors' that say so. */
export interface ExemptionFact {
  readonly id: string;
  readonly startsAt: string;
  readonly endsAt: string;
}

/** How a version stands with its revocations at one instant. */
export interface Standing {
  readonly status: RevocationStatus;
  /** A due record asks for its channels to roll back. */
  readonly rollBack: boolean;
  /** The records that are in effect. */
  readonly dueRecordIds: readonly string[];
  /** The next instant at which a record that is not in effect yet takes effect; null when none will. */
  readonly nextAt: string | null;
}

export const notRevoked: RevocationStatus = {
  state: 'none',
  at: null,
  reason: null,
  recordId: null,
  inheritedFrom: null,
};

/** When a record due at `dueAt` takes effect: then, or when the exemption that covers it ends. */
export function effectiveAt(
  dueAt: string,
  exemptions: readonly ExemptionFact[],
  now: string,
): { at: string; exemptionId: string | null } {
  let at = dueAt;
  let exemptionId: string | null = null;
  const byStart = exemptions.toSorted((a, b) => epochMs(a.startsAt) - epochMs(b.startsAt));
  for (const exemption of byStart) {
    // One that begins after the effect, and has not begun, shields nobody yet.
    if (epochMs(exemption.startsAt) > epochMs(laterOf(at, now))) continue;
    if (epochMs(exemption.endsAt) <= epochMs(at)) continue;
    at = exemption.endsAt;
    exemptionId = exemption.id;
  }
  return { at, exemptionId };
}

/** Where two records take effect at the same instant, the nearer reason is shown. */
const nearness: Readonly<Record<RevocationKind, number>> = { explicit: 0, policy: 1, inherited: 2 };

/**
 * In force is the earliest effective date over all records of the version that are not lifted, explicit, policy or inherited. A later
 * explicit date shields nobody; only an exemption does.
 */
export function revocationInForce(
  records: readonly RevocationFact[],
  exemptions: readonly ExemptionFact[],
  now: string,
): Standing {
  const open = records
    .filter((record) => record.liftedAt === null)
    .map((record) => ({ record, at: effectiveAt(record.dueAt, exemptions, now).at }))
    .toSorted(
      (a, b) =>
        epochMs(a.at) - epochMs(b.at) ||
        nearness[a.record.kind] - nearness[b.record.kind] ||
        (a.record.id < b.record.id ? -1 : 1),
    );
  const first = open[0];
  if (first === undefined) return { status: notRevoked, rollBack: false, dueRecordIds: [], nextAt: null };
  const due = open.filter(({ at }) => epochMs(at) <= epochMs(now));
  return {
    status: {
      state: due.length > 0 ? 'revoked' : 'scheduled',
      at: first.at,
      reason: first.record.reason,
      recordId: first.record.id,
      inheritedFrom: first.record.inheritedFrom,
    },
    rollBack: due.some(({ record }) => record.rollBack),
    dueRecordIds: due.map(({ record }) => record.id),
    nextAt: open[due.length]?.at ?? null,
  };
}
