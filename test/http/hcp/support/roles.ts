/** Operation → the least role that may call it, in one table. `any`: a role on whichever bucket of the project; `none`: every token. */
export type LeastRole = 'none' | 'any' | 'viewer' | 'contributor' | 'admin';

export const leastRoles: Readonly<Record<string, LeastRole>> = {
  // Packer asks for it where it is told a project only.
  GetRegistry: 'any',
  CreateRegistry: 'admin',
  UpdateRegistry: 'admin',
  DeleteRegistry: 'admin',

  ListBuckets: 'any',
  CreateBucket: 'contributor',
  GetBucket: 'viewer',
  UpdateBucket: 'contributor',
  DeleteBucket: 'contributor',
  ListBucketAncestry: 'viewer',

  ListVersions: 'viewer',
  CreateVersion: 'contributor',
  GetVersion: 'viewer',
  UpdateVersion: 'contributor',
  DeleteVersion: 'contributor',

  ListBuilds: 'viewer',
  CreateBuild: 'contributor',
  GetBuild: 'viewer',
  UpdateBuild: 'contributor',
  DeleteBuild: 'contributor',

  ListSboms: 'viewer',
  UploadSbom: 'contributor',
  GetSbom: 'viewer',
  ListBuildPackages: 'viewer',
  ListBucketPackages: 'viewer',
  ListBucketPackagesVulnerabilitySummary: 'viewer',
  ListBucketPackagesWithVulnerabilities: 'viewer',
  ListBucketVulnerabilities: 'viewer',

  ListChannels: 'viewer',
  CreateChannel: 'contributor',
  AssignChannelVersion: 'contributor',
  GetChannel: 'viewer',
  UpdateChannel: 'contributor',
  DeleteChannel: 'contributor',
  ListChannelAssignmentHistory: 'viewer',

  SearchExternalArtifact: 'any',

  ListEnforcedBlocks: 'viewer',
  CreateEnforcedBlock: 'admin',
  GetEnforcedBlocksByBucket: 'viewer',
  GetEnforcedBlock: 'viewer',
  UpdateEnforcedBlock: 'admin',
  DeleteEnforcedBlock: 'admin',
  GetEnforcedBlockVersions: 'viewer',
  CreateEnforcedBlockVersion: 'admin',
  UpdateEnforcedBlockVersion: 'admin',
  DeleteEnforcedBlockVersion: 'admin',
  GetEnforcedBlockLinkedBuckets: 'viewer',
  ManageEnforcedBlockLinkedBuckets: 'admin',

  GetRegistryTFCRunTaskAPI: 'admin',
  RegenerateTFCRunTaskHmacKey: 'admin',
  GetRunTaskConfig: 'viewer',
  UpdateRunTaskConfig: 'admin',

  OrganizationService_List: 'none',
  ProjectService_List: 'none',
  // Of what the path names: a project or an organization that the caller has a role in.
  ProjectService_Get: 'any',
  // Of the API of 2021-04-30, beside its GetChannel.
  GetIteration: 'viewer',

  OperationService_Get: 'any',
  OperationService_Wait: 'any',

  IamService_BatchGetPrincipals: 'any',
  // Of the bucket that `resource_name` names.
  ResourceService_GetIamPolicy: 'admin',
  ResourceService_SetIamPolicy: 'admin',

  CreateWebhook: 'admin',
  ListWebhooks: 'admin',
  GetWebhook: 'admin',
  UpdateWebhook: 'admin',
  UpdateWebhookName: 'admin',
  DeleteWebhook: 'admin',
  ListWebhookDeliveries: 'admin',
};
