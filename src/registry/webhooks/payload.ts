import type { Actor } from '../../domain/actor.ts';
import { versionStatus } from '../../domain/version-status.ts';
import type { WebhookAction, WebhookPayload } from '../../domain/webhook.ts';
import { webhookSource } from '../../domain/webhook.ts';
import type { Facts, Place, VersionFact } from './facts.ts';
import type { News } from './news.ts';
import { toldOfBuilds } from './told-builds.ts';

const descriptions: Readonly<Record<WebhookAction, string>> = {
  create: 'Created version',
  complete: 'Completed version',
  revoke: 'Revoked version',
  restore: 'Restored version',
  delete: 'Deleted version',
  'schedule-revocation': 'Scheduled the revocation of version',
  'cancel-revocation': 'Cancelled the scheduled revocation of version',
  assign: 'Assigned version to channel',
};

/** `id`: the event's, as receivers tell repeats by it. */
export function payloadOf(news: News, place: Place, facts: Facts, id: string): WebhookPayload {
  const { action, event, versionId } = news;
  const version = versionId === null ? undefined : facts.versions.get(versionId);
  return {
    resource_id: place.registryId,
    resource_name: `packer/project/${place.projectId}/registry/${place.registryId}`,
    event_id: `packer.event:${id}`,
    event_action: action,
    event_description:
      action === 'assign' && version === undefined ? 'Unassigned channel' : descriptions[action],
    event_source: webhookSource,
    event_version: '1',
    event_payload: {
      organization_id: place.organizationId,
      project_id: place.projectId,
      registry: { id: place.registryId },
      bucket: { id: place.bucketId, name: place.bucket },
      version: version === undefined ? null : toldOfVersion(version),
      ...(version === undefined ? { builds: [] } : toldOfBuilds(version)),
      actor: toldOfActor(event.by),
      ...(action === 'revoke'
        ? { skip_descendants_revocation: versionId !== null && facts.alone.has(versionId) }
        : {}),
      ...(action === 'assign' ? assignmentOf(news, facts) : {}),
    },
  };
}

function assignmentOf(news: News, facts: Facts): Readonly<Record<string, unknown>> {
  const channel = facts.channelOf(news);
  if (channel === undefined) return {};
  const { id, name, managed, restricted, previousVersionId } = channel;
  const previous = previousVersionId === null ? undefined : facts.versions.get(previousVersionId);
  const told = previous === undefined ? { builds: [] } : toldOfBuilds(previous);
  return {
    channel: { id, name, managed, restricted },
    previous_version: previous === undefined ? null : toldOfVersion(previous),
    previous_builds: told.builds,
    ...('truncated' in told ? { previous_truncated: told.truncated } : {}),
  };
}

const toldOfVersion = (version: VersionFact) => ({
  id: version.id,
  fingerprint: version.fingerprint,
  name: version.name,
  status: versionStatus(version),
  revoke_at: version.revocation?.at ?? null,
  revocation_message: version.revocation?.reason ?? '',
  revocation_author: version.revocation?.author ?? '',
});

const toldOfActor = ({ principal, name, via }: Actor) => ({
  principal_id: principal ?? name,
  type: principal !== undefined || via === 'system' ? 'TYPE_SERVICE' : 'TYPE_USER',
});
