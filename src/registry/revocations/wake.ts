import { workflowIds } from '../../domain/workflow-ids.ts';
import type { NewDelivery } from '../record.ts';
import type { VersionIdentity } from '../version-identity.ts';

/** The version's own watcher reads its dates again. */
export function wakeSchedule(version: VersionIdentity): NewDelivery {
  return {
    action: 'wake',
    workflow: 'scheduleRevocation',
    workflowId: workflowIds.scheduleRevocation(version.project, version.id),
    input: { versionId: version.id },
  };
}

export function wakeRetire({ project, id }: Pick<VersionIdentity, 'project' | 'id'>): NewDelivery {
  return {
    action: 'wake',
    workflow: 'retire',
    workflowId: workflowIds.retire(project, id),
    input: { versionId: id },
  };
}

export function startCascade(project: string, recordId: string, change: string): NewDelivery {
  return {
    action: 'start',
    workflow: 'cascade',
    workflowId: workflowIds.cascade(project, recordId, change),
    input: { recordId, change },
  };
}

/** Subject: a version that left channels, or a channel whose assignment a person changed. */
export function wakeRollBack(
  project: string,
  subject: { readonly versionId: string } | { readonly channelId: string },
): NewDelivery {
  return {
    action: 'wake',
    workflow: 'rollBackChannels',
    workflowId: workflowIds.rollBackChannels(
      project,
      'versionId' in subject ? subject.versionId : subject.channelId,
    ),
    input: subject,
  };
}
