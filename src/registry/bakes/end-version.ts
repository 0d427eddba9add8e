import { system } from '../../domain/actor.ts';
import type { FailureReport } from '../../domain/failure.ts';
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { record } from '../record.ts';
import { lockVersion } from './lock-version.ts';

/** Ends a running version without a number. Nothing when it has ended that way or the other; a complete one is refused. */
export async function endVersion(
  tx: Tx,
  versionId: string,
  state: 'failed' | 'cancelled',
  failure: FailureReport,
): Promise<void> {
  const version = await lockVersion(tx, versionId);
  if (version.state === 'complete') {
    throw new Failure(
      'illegal_state',
      `Version ${versionId} of bucket "${version.bucket}" is complete and cannot become ${state}. Revoke it instead.`,
    );
  }
  if (version.state !== 'running') return;
  await tx
    .updateTable('version')
    .set({ state, failure: JSON.stringify(failure) })
    .where('id', '=', versionId)
    .execute();
  await record(tx, {
    kind: state === 'failed' ? 'version.failed' : 'version.cancelled',
    project: version.project,
    bucket: version.bucket,
    versionId,
    subjectId: version.requestId,
    data: { fingerprint: version.fingerprint, failure },
    by: system('bake'),
    at: await clock(tx),
  });
}
