/**
 * The registry contract: every change of what *is*, one transaction each. Read this first.
 *
 * Obligations on every method that changes something:
 * - one transaction; locks bucket rows first (by id), then versions (by id); retried on 40001 and 40P01;
 * - first materialises, in that transaction, what is due on the versions and channels it touches;
 * - reads `clock_timestamp()` after its locks are held: the one clock;
 * - writes an immutable event and its deliveries in the same transaction;
 * - may be called again with the same arguments and then changes nothing and answers the same;
 * - refuses with a `Failure` that names the thing, the state it is in and what to do.
 */
import type { Bakes } from './contract/bakes.ts';
import type { Buckets } from './contract/buckets.ts';
import type { ChannelChanges, Channels, Promotions } from './contract/channels.ts';
import type { BucketPolicies } from './contract/bucket-policies.ts';
import type { Claims } from './contract/claims.ts';
import type { EnforcedBlocks } from './contract/enforced-blocks.ts';
import type { Config } from './contract/config.ts';
import type { Deletions } from './contract/deletions.ts';
import type { Enforcement, Pointers } from './contract/enforcement.ts';
import type { Operations } from './contract/operations.ts';
import type { Events, Outbox } from './contract/events.ts';
import type { Heartbeats } from './contract/heartbeats.ts';
import type { Hosts } from './contract/hosts.ts';
import type { Installation } from './contract/installation.ts';
import type { Ledger } from './contract/ledger.ts';
import type { Lines } from './contract/lines.ts';
import type { Logs } from './contract/logs.ts';
import type { AccessTokens, ServicePrincipals } from './contract/principals.ts';
import type { Publishing } from './contract/publishing.ts';
import type { Requests } from './contract/requests.ts';
import type { Revocations } from './contract/revocations.ts';
import type { Packages } from './contract/packages.ts';
import type { Sboms } from './contract/sboms.ts';
import type { RunTasks } from './contract/run-tasks.ts';
import type { Tenancy } from './contract/tenancy.ts';
import type { Versions } from './contract/versions.ts';
import type { Vulnerabilities } from './contract/vulnerabilities.ts';
import type { Views } from './contract/views.ts';
import type { Webhooks } from './contract/webhooks.ts';

export interface Registry {
  readonly lines: Lines;
  readonly buckets: Buckets;
  readonly publishing: Publishing;
  readonly heartbeats: Heartbeats;
  readonly requests: Requests;
  readonly bakes: Bakes;
  readonly versions: Versions;
  readonly channels: Channels;
  readonly channelChanges: ChannelChanges;
  readonly promotions: Promotions;
  readonly deletions: Deletions;
  readonly operations: Operations;
  readonly revocations: Revocations;
  readonly enforcement: Enforcement;
  readonly pointers: Pointers;
  readonly claims: Claims;
  readonly ledger: Ledger;
  readonly events: Events;
  readonly outbox: Outbox;
  readonly logs: Logs;
  readonly hosts: Hosts;
  readonly installation: Installation;
  readonly tenancy: Tenancy;
  readonly config: Config;
  readonly runTasks: RunTasks;
  readonly principals: ServicePrincipals;
  readonly tokens: AccessTokens;
  readonly webhooks: Webhooks;
  readonly bucketPolicies: BucketPolicies;
  readonly views: Views;
  readonly enforcedBlocks: EnforcedBlocks;
  readonly sboms: Sboms;
  readonly packages: Packages;
  readonly vulnerabilities: Vulnerabilities;
  /** PostgreSQL's clock, ISO 8601 UTC with milliseconds. */
  now(): Promise<string>;
}
