import { ulid } from 'ulid';
import { system } from '../../domain/actor.ts';
import { formatDuration } from '../../domain/duration.ts';
import type { ImageLine } from '../../domain/image-line.ts';
import { toInstant } from '../../domain/instant.ts';
import { workflowIds } from '../../domain/workflow-ids.ts';
import type { Tx } from '../../store/store.ts';
import type { NewDelivery } from '../record.ts';
import { record } from '../record.ts';
import type { LockedVersion } from './lock-version.ts';

/** The line's default end of life as a policy record, from completion on. Answers who is to be woken by it. */
export async function startEndOfLife(
  tx: Tx,
  version: LockedVersion,
  name: string,
  now: string,
): Promise<readonly NewDelivery[]> {
  const line = await lineOf(tx, version);
  if (line?.endOfLifeMs === undefined) return [];
  const id = ulid();
  const dueAt = toInstant(Date.parse(now) + line.endOfLifeMs);
  const by = system('policy');
  const reason = `end of life: ${formatDuration(line.endOfLifeMs)} after completion`;
  await tx
    .insertInto('revocation')
    .values({
      id,
      version_id: version.id,
      kind: 'policy',
      root_id: id,
      due_at: dueAt,
      reason,
      roll_back: true,
      descendants: line.endOfLifeCascades,
      actor: JSON.stringify(by),
      created_at: now,
    })
    .execute();
  await record(tx, {
    kind: 'revocation.scheduled',
    project: version.project,
    bucket: version.bucket,
    versionId: version.id,
    subjectId: id,
    data: { version: name, kind: 'policy', dueAt, reason },
    by,
    at: now,
  });
  return [
    {
      action: 'wake',
      workflow: 'scheduleRevocation',
      workflowId: workflowIds.scheduleRevocation(version.project, version.id),
      input: { versionId: version.id },
    },
  ];
}

/** As accepted with the request, so that a change of the line meanwhile touches later requests only; else as it is. */
async function lineOf(tx: Tx, version: LockedVersion): Promise<ImageLine | null> {
  if (version.requestId !== null) {
    const { pins } = await tx
      .selectFrom('request')
      .select('pins')
      .where('id', '=', version.requestId)
      .executeTakeFirstOrThrow();
    return pins.line;
  }
  const { line } = await tx
    .selectFrom('bucket')
    .select('line')
    .where('id', '=', version.bucketId)
    .executeTakeFirstOrThrow();
  return line;
}
