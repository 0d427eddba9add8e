/** A project with something of everything, and what is there of it by the names that paths and bodies give it. */
import { zstdCompressSync } from 'node:zlib';
import { ulid } from 'ulid';
import type { Api } from '../../support/api.ts';
import type { Pools } from './fuzz-requests.ts';

type Method = Parameters<Api['raw']>[0];

// oxlint-disable-next-line typescript/no-explicit-any -- JSON of many operations, of which ids are taken where they are.
type Json = any;

async function callerOf(api: Api, project: string, token: string) {
  const { id: projectId, organization } = await api.world.registry.tenancy.project(project);
  const prefix = `/packer/2023-01-01/organizations/${organization.id}/projects/${projectId}`;
  return {
    projectId,
    organizationId: organization.id,
    call: async (method: Method, below: string, body?: object): Promise<Json> =>
      (await api.raw(method, `${prefix}${below}`, body, token)).body,
  };
}

const sbom = (mark: string): string =>
  zstdCompressSync(
    JSON.stringify({
      bomFormat: 'CycloneDX',
      specVersion: '1.5',
      version: 1,
      components: [
        {
          type: 'library',
          name: mark,
          version: '1.0.0',
          purl: `pkg:deb/debian/${mark}@1.0.0?distro=debian-12`,
        },
      ],
    }),
  ).toString('base64');

const buckets = ['fuzz-a', 'fuzz-b'] as const;
const webhook = 'fuzz-hook';
/** Names that nothing has yet. */
const fresh = Array.from({ length: 30 }, (_, at) => `fresh-${at}`);
const runs = ['6f8f2c0a-0f43-4f3c-9f0e-0a8c8f5d1b01', '6f8f2c0a-0f43-4f3c-9f0e-0a8c8f5d1b02'];

/**
 * Publishes in both buckets, the second one's version on the first one's, and leaves a version of each open. `mark` is on all of it. Answers
 * the id of an operation.
 */
export async function publishIn(api: Api, project: string, token: string, mark: string): Promise<string> {
  const { call, projectId } = await callerOf(api, project, token);
  await call('PUT', '/registry', { feature_tier: 'PLUS' });
  let parent: { readonly parent_version_id: string } | undefined;
  const fingerprints: string[] = [];
  for (const bucket of buckets) {
    await call('PUT', '/buckets', { name: bucket });
    await call('PATCH', `/buckets/${bucket}`, { description: mark, labels: { mark } });
    const fingerprint = `${mark}-${ulid()}`.slice(-40).replace(/^\W+/, '');
    fingerprints.push(fingerprint);
    const opened = await call('POST', `/buckets/${bucket}/versions`, { fingerprint, template_type: 'HCL2' });
    const versionPath = `/buckets/${bucket}/versions/${fingerprint}`;
    const { build } = await call('POST', `${versionPath}/builds`, {
      component_type: 'null.one',
      packer_run_uuid: runs[0],
      status: 'BUILD_RUNNING',
      platform: 'aws',
    });
    await call('PUT', `${versionPath}/builds/${build?.id}/sboms`, {
      name: 'base-system',
      format: 'CYCLONEDX',
      compressed_sbom: sbom(mark),
    });
    await call('PATCH', `${versionPath}/builds/${build?.id}`, {
      status: 'BUILD_DONE',
      packer_run_uuid: runs[0],
      artifacts: [{ external_identifier: `ami-${mark}`, region: 'eu-west-1' }],
      labels: { mark },
      ...parent,
    });
    parent = { parent_version_id: opened.version?.id };
    const open = ulid();
    await call('POST', `/buckets/${bucket}/versions`, { fingerprint: open });
    await call('POST', `/buckets/${bucket}/versions/${open}/builds`, {
      component_type: 'null.one',
      packer_run_uuid: runs[0],
      status: 'BUILD_RUNNING',
    });
    for (const name of ['dev', 'prod']) {
      await call('POST', `/buckets/${bucket}/channels`, { name, version_fingerprint: fingerprint });
    }
  }
  const { operation } = await call('PATCH', `/buckets/${buckets[1]}/versions/${fingerprints[1]}`, {
    revoke_in: '30d',
  });
  await api.raw(
    'POST',
    `/2023-05-31/webhook/project/${projectId}/webhooks`,
    // Nothing listens there, and it is not enabled.
    { name: webhook, description: mark, config: { url: 'http://127.0.0.1:9/' } },
    token,
  );
  const block = await call('PUT', '/enforced_blocks', {
    name: `block-${ulid().slice(-8).toLowerCase()}`,
    version: '1.0.0',
    template_type: 'HCL2',
    additional_description: mark,
    block_content: `provisioner "shell-local" {\n  inline = ["echo ${mark}"]\n}\n`,
  });
  const { id } = block.enforced_block ?? {};
  const listed = await call('GET', `/enforced_blocks/${id}/versions`);
  const versionId = listed.enforced_block_detail?.[0]?.version.id;
  await call('PUT', `/enforced_blocks/${id}/versions`, {
    version: '2.0.0',
    block_content: 'provisioner "shell-local" {\n  inline = ["true"]\n}\n',
  });
  await call('POST', `/enforced_blocks/${id}/versions/${versionId}/buckets`, { bucket_names: [buckets[0]] });
  return String(operation?.id);
}

/** Every ULID that is a value of `id` anywhere. */
function idsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    key === 'id' && typeof inner === 'string' ? [inner] : idsIn(inner),
  );
}

/** Each build with its version and bucket. */
const placesOf = (versions: readonly Json[]): readonly Readonly<Record<string, string>>[] =>
  versions.flatMap(({ bucket_name: bucket, fingerprint, builds, id }) =>
    (builds ?? []).map((build: Json) => ({
      bucket_name: bucket,
      bucket_slug: bucket,
      fingerprint,
      version_id: id,
      build_id: build.id,
    })),
  );

interface Seed {
  readonly pools: Omit<Pools, 'other'>;
  /** All that is shown of the project. */
  readonly shown: readonly unknown[];
}

export async function seedOf(api: Api, project: string, token: string): Promise<Seed> {
  const { call, organizationId, projectId } = await callerOf(api, project, token);
  const versions: Json[] = [];
  const channels: Json[] = [];
  for (const bucket of buckets) {
    versions.push(...((await call('GET', `/buckets/${bucket}/versions`)).versions ?? []));
    channels.push(...((await call('GET', `/buckets/${bucket}/channels`)).channels ?? []));
  }
  const blocks = await call('GET', '/enforced_blocks');
  const shown = [await call('GET', '/registry'), await call('GET', '/buckets'), versions, channels, blocks];
  const blockIds = idsIn(blocks).slice(-3);
  const blockVersions: { readonly block: string; readonly version: string }[] = [];
  for (const id of blockIds) {
    const { enforced_block_detail: details } = await call('GET', `/enforced_blocks/${id}/versions`);
    for (const one of details ?? []) blockVersions.push({ block: id, version: one.version.id });
  }
  const versionIds: string[] = versions.map(({ id }) => id);
  const fingerprints: string[] = versions.map(({ fingerprint }) => fingerprint);
  const buildIds: string[] = versions.flatMap(({ builds }) => idsIn(builds ?? []));
  const channelNames = ['dev', 'prod', 'latest', 'new-one'];
  return {
    shown,
    pools: {
      places: placesOf(versions).map((place, at) => ({
        'location.organization_id': organizationId,
        'location.project_id': projectId,
        organization_id: organizationId,
        id: projectId,
        channel_name: channelNames[at % channelNames.length] ?? 'dev',
        slug: channelNames[at % channelNames.length] ?? 'dev',
        task_type: 'validation',
        geo: 'us',
        webhook_name: webhook,
        sbom_name: 'base-system',
        enforced_block_id: blockVersions[at % blockVersions.length]?.block ?? '',
        enforced_block_version_id: blockVersions[at % blockVersions.length]?.version ?? '',
        ...place,
      })),
      named: {
        name: [...buckets, ...channelNames, 'block-x', 'sbom-x', ...fresh],
        bucket_name: buckets,
        bucket_slug: buckets,
        bucket_names: buckets,
        fingerprint: fingerprints,
        version_fingerprint: fingerprints,
        build_id: buildIds,
        channel_name: channelNames,
        slug: channelNames,
        source_channel: channelNames,
        target_channel: channelNames,
        parent_version_id: versionIds,
        iteration_id: versionIds,
        parent_channel_id: channels.map(({ id }) => id),
        id: [projectId, ...versionIds.slice(0, 2)],
        'scope.id': [organizationId],
        packer_run_uuid: runs,
        component_type: ['null.one', 'null.two'],
        platform: ['aws', 'azure', 'null'],
        region: ['eu-west-1', 'null'],
        external_identifier: ['ami-1', 'ami-2'],
        source_external_identifier: ['ami-1'],
        update_mask: [
          'versionFingerprint',
          'restricted',
          'versionFingerprint,restricted',
          'name',
          'labels',
          'additionalDescription',
          'activated',
        ],
        revoke_in: ['0s', '30d', '2h45m'],
        revoke_at: ['2099-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
        enforced_block_id: blockIds,
        enforced_block_version_id: blockVersions.map(({ version }) => version),
        block_content: ['provisioner "shell-local" {\n  inline = ["true"]\n}\n', 'source "null" "x" {}'],
        version: ['1.0.0', '2.0.0'],
        compressed_sbom: [sbom('zlib')],
        sbom_name: ['base-system', 'sbom-x'],
        task_type: ['validation'],
        resource_name: [`packer/project/${projectId}/bucket/${buckets[0]}`],
        timeout: ['0s', '10ms'],
        'pagination.page_size': ['0', '1', '50'],
        'pagination.next_page_token': [''],
        'pagination.previous_page_token': [''],
        criticality: ['CRITICAL', 'low'],
        incremental_version: ['1'],
        principal_ids: ['01ARZ3NDEKTSV4RRFFQ69G5FAV'],
        // Nothing listens there.
        url: ['http://127.0.0.1:9/'],
        hmac_key: ['a-key-of-sixteen'],
        'sorting.order_by': ['name', 'created_at desc', 'name,created_at'],
      },
    },
  };
}
