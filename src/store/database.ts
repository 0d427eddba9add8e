import type {
  BucketTable,
  OrganizationTable,
  ProjectTable,
  TemplateFileTable,
  TemplateTable,
} from './tables/lines.ts';
import type {
  BakeAttemptTable,
  BakeHostTable,
  ClaimTable,
  InstallationTable,
  LedgerTable,
  LogChunkTable,
  RequestAttemptTable,
  RequestTable,
  ServerWatchTable,
} from './tables/work.ts';
import type {
  AncestryTable,
  ArtifactTable,
  BuildTable,
  TestRunTable,
  VersionTable,
} from './tables/versions.ts';
import type {
  ApprovalTable,
  AssignmentTable,
  ChannelPointerTable,
  ChannelTable,
  PromotionTable,
} from './tables/channels.ts';
import type {
  EnforcedBlockLinkTable,
  EnforcedBlockTable,
  EnforcedBlockVersionTable,
} from './tables/enforced-blocks.ts';
import type { ExemptionTable, ReceiptTable, RevocationTable } from './tables/revocations.ts';
import type { RunTaskTable } from './tables/run-tasks.ts';
import type { RegistryConfigTable } from './tables/config.ts';
import type { DeliveryTable, EventTable } from './tables/events.ts';
import type {
  PrincipalRoleTable,
  PrincipalSecretTable,
  PrincipalTable,
  TokenTable,
} from './tables/principals.ts';
import type {
  PackageTable,
  PackageVulnerabilityTable,
  SbomPackageTable,
  SbomTable,
  VulnerabilityAffectedTable,
  VulnerabilityImportTable,
  VulnerabilityTable,
} from './tables/sboms.ts';

import type { WebhookDeliveryTable, WebhookTable } from './tables/webhooks.ts';

/** Every table, as `migrations/` makes it. One file per group in `tables/`. */
export interface Database {
  organization: OrganizationTable;
  project: ProjectTable;
  bucket: BucketTable;
  template: TemplateTable;
  template_file: TemplateFileTable;
  request: RequestTable;
  request_attempt: RequestAttemptTable;
  version: VersionTable;
  build: BuildTable;
  artifact: ArtifactTable;
  ancestry: AncestryTable;
  bake_attempt: BakeAttemptTable;
  test_run: TestRunTable;
  channel: ChannelTable;
  assignment: AssignmentTable;
  promotion: PromotionTable;
  approval: ApprovalTable;
  revocation: RevocationTable;
  exemption: ExemptionTable;
  channel_pointer: ChannelPointerTable;
  receipt: ReceiptTable;
  ledger: LedgerTable;
  event: EventTable;
  delivery: DeliveryTable;
  claim: ClaimTable;
  installation: InstallationTable;
  server_watch: ServerWatchTable;
  log_chunk: LogChunkTable;
  bake_host: BakeHostTable;
  principal: PrincipalTable;
  principal_secret: PrincipalSecretTable;
  principal_role: PrincipalRoleTable;
  token: TokenTable;
  webhook: WebhookTable;
  webhook_delivery: WebhookDeliveryTable;
  sbom: SbomTable;
  package: PackageTable;
  sbom_package: SbomPackageTable;
  vulnerability: VulnerabilityTable;
  vulnerability_affected: VulnerabilityAffectedTable;
  package_vulnerability: PackageVulnerabilityTable;
  vulnerability_import: VulnerabilityImportTable;
  enforced_block: EnforcedBlockTable;
  enforced_block_version: EnforcedBlockVersionTable;
  enforced_block_link: EnforcedBlockLinkTable;
  registry_config: RegistryConfigTable;
  run_task: RunTaskTable;
}
