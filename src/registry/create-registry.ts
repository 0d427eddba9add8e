import type { Store } from '../store/store.ts';
import { clock } from '../store/transaction.ts';
import { createBakes } from './bakes/bakes.ts';
import { createBuckets } from './buckets/buckets.ts';
import { createChannelChanges } from './channels/changes.ts';
import { createBucketPolicies } from './bucket-policies/bucket-policies.ts';
import { createChannels } from './channels/channels.ts';
import { createEnforcedBlocks } from './enforced-blocks/enforced-blocks.ts';
import { createConfig } from './config/config.ts';
import { createDeletions } from './deletions/deletions.ts';
import { createEnforcement } from './enforcement/enforcement.ts';
import { createHeartbeats } from './heartbeats/heartbeats.ts';
import { createLines } from './lines/lines.ts';
import { createOperations } from './operations/operations.ts';
import { createEvents } from './outbox/events.ts';
import { createOutbox } from './outbox/outbox.ts';
import { createPackages } from './packages/packages.ts';
import { createPointers } from './pointers/pointers.ts';
import { createPrincipals } from './principals/principals.ts';
import { createTokens } from './principals/tokens.ts';
import { createPromotions } from './promotions/promotions.ts';
import { createPublishing } from './publishing/publishing.ts';
import type { Registry } from './registry.ts';
import { createRequests } from './requests/requests.ts';
import { createRevocations } from './revocations/revocations.ts';
import { createSboms } from './sboms/sboms.ts';
import { createRunTasks } from './run-tasks/run-tasks.ts';
import { createTenancy } from './tenancy/tenancy.ts';
import { loadVersion } from './versions/load.ts';
import { createVersions } from './versions/versions.ts';
import { createViews } from './views/views.ts';
import { createVulnerabilities } from './vulnerabilities/vulnerabilities.ts';
import { createClaims } from './work/claims.ts';
import { createHosts } from './work/hosts.ts';
import { createInstallation } from './work/installation.ts';
import { createLedger } from './work/ledger.ts';
import { createLogs } from './work/logs.ts';
import { createWebhooks } from './webhooks/webhooks.ts';

/** The registry on an open, migrated database. */
export function createRegistry(store: Store): Registry {
  return {
    lines: createLines(store),
    buckets: createBuckets(store),
    publishing: createPublishing(store),
    heartbeats: createHeartbeats(store),
    requests: createRequests(store),
    bakes: createBakes(store),
    versions: createVersions(store),
    channels: createChannels(store),
    channelChanges: createChannelChanges(store),
    promotions: createPromotions(store),
    deletions: createDeletions(store),
    operations: createOperations(store),
    revocations: createRevocations(store, loadVersion),
    enforcement: createEnforcement(store),
    pointers: createPointers(store),
    claims: createClaims(store),
    ledger: createLedger(store),
    events: createEvents(store),
    outbox: createOutbox(store),
    logs: createLogs(store),
    hosts: createHosts(store),
    installation: createInstallation(store),
    tenancy: createTenancy(store),
    config: createConfig(store),
    runTasks: createRunTasks(store, createViews(store)),
    principals: createPrincipals(store),
    tokens: createTokens(store),
    webhooks: createWebhooks(store),
    bucketPolicies: createBucketPolicies(store),
    views: createViews(store),
    enforcedBlocks: createEnforcedBlocks(store),
    sboms: createSboms(store),
    packages: createPackages(store),
    vulnerabilities: createVulnerabilities(store),
    now: () => clock(store.db),
  };
}
