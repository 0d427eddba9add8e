import { installationOperator } from '../domain/actor.ts';
import type { RevocationRecord } from '../domain/revocation.ts';
import type { Revocations } from '../registry/contract/revocations.ts';
import type { Versions } from '../registry/contract/versions.ts';

export interface RevocationDeps {
  readonly registry: {
    readonly revocations: Omit<Revocations, 'restore' | 'exempt'>;
    readonly versions: Pick<Versions, 'find'>;
  };
}

/** A revocation typed by a person; its record's id and the workflow that watches it are fixed before. Neither date: now. */
export interface TypedRevocation {
  readonly recordId: string;
  readonly heldBy: string;
  readonly project: string;
  readonly bucket: string;
  readonly version: string;
  readonly at?: string;
  readonly inMs?: number;
  readonly reason: string;
  readonly rollBack: boolean;
  readonly descendants: boolean;
}

export interface Due {
  readonly dueAt: string;
  readonly waitMs: number;
}

export function createRevocationActivities({ registry: { revocations, versions } }: RevocationDeps) {
  return {
    async openRevocation({ project, bucket, version, ...asked }: TypedRevocation): Promise<RevocationRecord> {
      const { id: versionId } = await versions.find(project, bucket, version);
      const { record } = await revocations.revoke({ ...asked, versionId, by: installationOperator });
      return record;
    },

    /** The next instant at which something of the version falls due; null when nothing will. */
    async nextDue(versionId: string): Promise<Due | null> {
      return (await revocations.nextDue(versionId)) ?? null;
    },

    /** Writes the effects of all that is due, whoever's it is. */
    async materialiseDue(): Promise<{ materialised: number }> {
      const { materialised } = await revocations.materialiseDue();
      return { materialised };
    },

    /** The same at the date of one version, and what falls due for it next. `earlyMs`: its timer fired too soon, by this much. */
    async takeEffect(versionId: string): Promise<{ earlyMs: number; next: Due | null }> {
      const { early } = await revocations.materialiseDue(versionId);
      return { earlyMs: early, next: early > 0 ? null : ((await revocations.nextDue(versionId)) ?? null) };
    },

    /** The explicit and policy records of the version that were not lifted: what can be moved or taken back here. */
    async ownRevocations(versionId: string): Promise<readonly RevocationRecord[]> {
      const records = await revocations.records(versionId);
      return records.filter(({ kind, liftedAt }) => kind !== 'inherited' && liftedAt === null);
    },

    async rescheduleRevocation(recordId: string, at: string): Promise<RevocationRecord> {
      return revocations.reschedule(recordId, at, installationOperator);
    },

    async liftRevocation(recordId: string, reason: string): Promise<RevocationRecord> {
      return revocations.lift(recordId, reason, installationOperator);
    },
  };
}
