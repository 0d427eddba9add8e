import type { z } from 'zod';
import { includesRole } from '../../../domain/role.ts';
import type { BuildFields } from '../../../registry/contract/publishing.ts';
import { publishingRoutes } from '../descriptors/routes/publishing.ts';
import type { HcpLocation } from '../handler.ts';
import { implement } from '../handler.ts';
import { invalidFields } from '../invalid-fields.ts';
import type { Principal } from '../../principals.ts';
import { toWireBuild } from '../wire/build.ts';
import { toWireVersion } from '../wire/version.ts';

export const publishingOperations = implement(publishingRoutes, {
  CreateVersion: async (call) => {
    const { deps, project, actor, path, body } = call;
    const { fingerprint, template_type: type } = body;
    const at = { project, bucket: path.bucket_name, fingerprint };
    const templateType = type === 'HCL2' || type === 'JSON' ? type : null;
    await deps.registry.publishing.openVersion({ ...at, templateType, by: actor });
    const made = await deps.registry.views.version(project, at.bucket, fingerprint, call.sights);
    return { version: toWireVersion(call, made) };
  },
  CreateBuild: async (call) => {
    const { deps, project, actor, path, body } = call;
    const { component_type: componentType } = body;
    if (!isSet(componentType)) throw invalid('component_type', 'names the source: write one');
    if (isSet(body.source_external_identifier) && !isSet(body.parent_version_id)) {
      throw invalid(
        'source_external_identifier',
        'needs parent_version_id beside it when a build is created',
      );
    }
    const { registry } = deps;
    const at = { project, bucket: path.bucket_name, fingerprint: path.fingerprint };
    const id = await registry.publishing.openBuild({
      ...at,
      componentType,
      fields: fieldsOf(body),
      mayRead: reading(call),
      by: actor,
    });
    return { build: toWireBuild(await registry.views.build(project, at.bucket, at.fingerprint, id)) };
  },
  UpdateBuild: async (call) => {
    const { deps, project, actor, path, body } = call;
    const { registry } = deps;
    const at = { project, bucket: path.bucket_name, fingerprint: path.fingerprint };
    const buildId = path.build_id;
    const { metadata } = body;
    const fields = {
      ...fieldsOf(body),
      ...(metadata === null || metadata === undefined ? {} : { metadata }),
    };
    await registry.publishing.updateBuild({ ...at, buildId, fields, mayRead: reading(call), by: actor });
    return { build: toWireBuild(await registry.views.build(project, at.bucket, at.fingerprint, buildId)) };
  },
});

type Body = Omit<z.output<(typeof publishingRoutes)['UpdateBuild']['body']>, 'metadata'>;

const states = {
  BUILD_UNSET: undefined,
  BUILD_RUNNING: 'running',
  BUILD_DONE: 'done',
  BUILD_CANCELLED: 'cancelled',
  BUILD_FAILED: 'failed',
} as const;

function fieldsOf(body: Body): BuildFields {
  const { parent_version_id: versionId, parent_channel_id: channelId } = body;
  if (isSet(channelId) && !isSet(versionId)) {
    throw invalid('parent_channel_id', 'needs parent_version_id beside it: a channel alone is no parent');
  }
  const state = states[body.status ?? 'BUILD_UNSET'];
  const artifacts = (body.artifacts ?? []).flatMap(({ external_identifier: externalIdentifier, region }) =>
    isSet(externalIdentifier) ? [{ externalIdentifier, region: region ?? '' }] : [],
  );
  return {
    ...(state === undefined ? {} : { state }),
    ...(isSet(body.packer_run_uuid) ? { packerRunUuid: body.packer_run_uuid } : {}),
    ...(isSet(body.platform) ? { platform: body.platform } : {}),
    ...(Object.keys(body.labels ?? {}).length === 0 ? {} : { labels: body.labels ?? {} }),
    ...(artifacts.length === 0 ? {} : { artifacts }),
    ...(isSet(body.source_external_identifier)
      ? { sourceExternalIdentifier: body.source_external_identifier }
      : {}),
    ...(isSet(versionId) ? { parent: { versionId, ...(isSet(channelId) ? { channelId } : {}) } } : {}),
  };
}

const isSet = (value: string | undefined): value is string => value !== undefined && value !== '';

const invalid = (field: string, description: string) => invalidFields([{ field, description }]);

const reading =
  ({ principal, project }: HcpLocation & { readonly principal: Principal }) =>
  (bucket: string): boolean =>
    includesRole(principal.roleIn(project, bucket), 'viewer');
