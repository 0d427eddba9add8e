/** The API of 2023-01-01 as HCP's own specification lists it: every operation is there, where clients look for it, and nothing else is. */
import { expect, it } from 'vitest';
import type { HcpOperation } from '../../../src/http/hcp/handler.ts';
import { hcpPrefixes } from '../../../src/http/hcp/descriptors/route.ts';
import { hcpOperations } from '../../../src/http/hcp/operations.ts';

/** Method, path below the project and operation. */
const published = `
GET /registry GetRegistry
PUT /registry CreateRegistry
PATCH /registry UpdateRegistry
DELETE /registry DeleteRegistry
GET /buckets ListBuckets
PUT /buckets CreateBucket
GET /buckets/{bucket_name} GetBucket
PATCH /buckets/{bucket_name} UpdateBucket
DELETE /buckets/{bucket_name} DeleteBucket
GET /buckets/{bucket_name}/ancestry ListBucketAncestry
GET /buckets/{bucket_name}/versions ListVersions
POST /buckets/{bucket_name}/versions CreateVersion
GET /buckets/{bucket_name}/versions/{fingerprint} GetVersion
PATCH /buckets/{bucket_name}/versions/{fingerprint} UpdateVersion
DELETE /buckets/{bucket_name}/versions/{fingerprint} DeleteVersion
GET /buckets/{bucket_name}/versions/{fingerprint}/builds ListBuilds
POST /buckets/{bucket_name}/versions/{fingerprint}/builds CreateBuild
GET /buckets/{bucket_name}/versions/{fingerprint}/builds/{build_id} GetBuild
PATCH /buckets/{bucket_name}/versions/{fingerprint}/builds/{build_id} UpdateBuild
DELETE /buckets/{bucket_name}/versions/{fingerprint}/builds/{build_id} DeleteBuild
GET /buckets/{bucket_name}/versions/{fingerprint}/builds/{build_id}/sboms ListSboms
PUT /buckets/{bucket_name}/versions/{fingerprint}/builds/{build_id}/sboms UploadSbom
GET /buckets/{bucket_name}/versions/{fingerprint}/builds/{build_id}/sboms/{sbom_name} GetSbom
GET /buckets/{bucket_name}/versions/{fingerprint}/builds/{build_id}/packages ListBuildPackages
GET /buckets/{bucket_name}/packages ListBucketPackages
GET /buckets/{bucket_name}/packages/vulnerability-summary ListBucketPackagesVulnerabilitySummary
GET /buckets/{bucket_name}/packages/with-vulnerabilities ListBucketPackagesWithVulnerabilities
GET /buckets/{bucket_name}/vulnerabilities ListBucketVulnerabilities
GET /buckets/{bucket_name}/channels ListChannels
POST /buckets/{bucket_name}/channels CreateChannel
POST /buckets/{bucket_name}/channels/assign AssignChannelVersion
GET /buckets/{bucket_name}/channels/{channel_name} GetChannel
PATCH /buckets/{bucket_name}/channels/{channel_name} UpdateChannel
DELETE /buckets/{bucket_name}/channels/{channel_name} DeleteChannel
GET /buckets/{bucket_name}/channels/{channel_name}/history ListChannelAssignmentHistory
POST /_search/external_artifact SearchExternalArtifact
GET /enforced_blocks ListEnforcedBlocks
PUT /enforced_blocks CreateEnforcedBlock
GET /enforced_blocks/bucket/{bucket_name} GetEnforcedBlocksByBucket
GET /enforced_blocks/{enforced_block_id} GetEnforcedBlock
PATCH /enforced_blocks/{enforced_block_id} UpdateEnforcedBlock
DELETE /enforced_blocks/{enforced_block_id} DeleteEnforcedBlock
GET /enforced_blocks/{enforced_block_id}/versions GetEnforcedBlockVersions
PUT /enforced_blocks/{enforced_block_id}/versions CreateEnforcedBlockVersion
PATCH /enforced_blocks/{enforced_block_id}/versions/{enforced_block_version_id} UpdateEnforcedBlockVersion
DELETE /enforced_blocks/{enforced_block_id}/versions/{enforced_block_version_id} DeleteEnforcedBlockVersion
GET /enforced_blocks/{enforced_block_id}/versions/{enforced_block_version_id}/buckets GetEnforcedBlockLinkedBuckets
POST /enforced_blocks/{enforced_block_id}/versions/{enforced_block_version_id}/buckets ManageEnforcedBlockLinkedBuckets
GET /runtasks/{task_type} GetRegistryTFCRunTaskAPI
PATCH /runtasks/hmac RegenerateTFCRunTaskHmacKey
GET /runtasks/config GetRunTaskConfig
PATCH /runtasks/config UpdateRunTaskConfig
`
  .trim()
  .split('\n');

const prefix = '/packer/2023-01-01/organizations/{location.organization_id}/projects/{location.project_id}';

const lineOf = ({ route: { method, path, operation } }: HcpOperation): string =>
  `${method} ${path.slice(prefix.length)} ${operation}`;

it('has the 52 operations of 2023-01-01, and no other', () => {
  const ours = hcpOperations.filter(({ route }) => route.path.startsWith('/packer/2023-01-01/'));

  expect(ours.every(({ route }) => route.path.startsWith(prefix))).toBe(true);
  expect(published).toHaveLength(52);
  expect(new Set(ours.map(lineOf))).toEqual(new Set(published));
  expect(ours).toHaveLength(52);
});

it('answers each method and path by one operation, below a prefix that refuses the rest', () => {
  const places = hcpOperations.map(
    ({ route: { method, path } }) => `${method} ${path.replaceAll(/\{[\w.]+\}/g, '{}')}`,
  );

  expect(new Set(places).size).toBe(places.length);
  const outside = hcpOperations.filter(
    ({ route }) => !hcpPrefixes.some((one) => route.path.startsWith(`${one}/`)),
  );
  expect(outside).toEqual([]);
});
