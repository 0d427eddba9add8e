/** Which activities run where. Names are flat per task queue: a test asserts that no two factories share one. */
import { createBakeActivities } from '../activities/bakes.ts';
import { createCascadeActivities } from '../activities/cascade.ts';
import { createClaimActivities } from '../activities/claims.ts';
import { createDistributionActivities } from '../activities/distribution.ts';
import { createEnforcementActivities } from '../activities/enforcement.ts';
import { createHeartbeatActivities } from '../activities/heartbeats.ts';
import { createMachineActivities } from '../activities/machines.ts';
import { createPackerActivities } from '../activities/packer.ts';
import { createPointerActivities } from '../activities/pointers.ts';
import { createPromotionActivities } from '../activities/promotion.ts';
import { createReleaseActivities } from '../activities/releases.ts';
import { createRequestActivities } from '../activities/requests.ts';
import { createRevocationActivities } from '../activities/revocation.ts';
import { createSubjectActivities } from '../activities/subjects.ts';
import { createTestActivities } from '../activities/tests.ts';
import { createVerificationActivities } from '../activities/verification.ts';
import { createWakeUpActivities } from '../activities/wake-ups.ts';
import { createRunTaskActivities } from '../activities/run-tasks.ts';
import { createWebhookActivities } from '../activities/webhooks.ts';
import { keysFrom } from '../http/keys.ts';
import type { Settings } from '../config/settings.ts';
import { childEnvironment } from '../config/settings.ts';
import { Failure } from '../domain/failure.ts';
import { resolveCommit } from '../packer/git.ts';
import type { PackerRunner } from '../packer/runner.ts';
import { readTemplate } from '../packer/template-facts.ts';
import { unseal } from '../webhooks/seal.ts';
import { fetchPlan, tellVerdict } from '../webhooks/run-tasks.ts';
import { sendWebhook } from '../webhooks/send.ts';
import type { Deps } from './deps.ts';
import { ownServer } from './own-server.ts';

/** Workflows' own queue: the registry, and questions to Temporal. */
export function mainActivities({ settings, tools, registry, providers, credentials, gateway }: Deps): object {
  const { awayMs, packerGraceMs, marginMs } = settings.host;
  const heartbeatMs = settings.heartbeat.timeoutMs;
  const git = { git: tools.git?.path ?? 'git', environment: childEnvironment({}) };
  return {
    ...createBakeActivities({
      registry,
      readTemplate,
      credentials,
      bounds: { hostAwayMs: awayMs, heartbeatMs, graceMs: packerGraceMs + marginMs },
    }),
    ...createCascadeActivities({ registry, starter: gateway, providers }),
    ...createClaimActivities({ registry, workflows: gateway }),
    // Here for what they ask of the registry; what they do to a cloud is called on the cloud's queue.
    ...createDistributionActivities({ registry, providers }),
    ...createEnforcementActivities({ registry, providers }),
    ...createHeartbeatActivities({ registry }),
    ...createPointerActivities({ registry, providers }),
    ...createPromotionActivities({ registry, providers }),
    ...createReleaseActivities({ registry, providers, workflows: gateway }),
    ...createRequestActivities({
      registry,
      resolveCommit: (repository, ref) => resolveCommit(repository, ref, git),
    }),
    ...createRevocationActivities({ registry }),
    ...createSubjectActivities({ registry }),
    ...createTestActivities({ registry, providers, bounds: { hostAwayMs: awayMs, heartbeatMs } }),
    ...createWakeUpActivities({ registry, starter: gateway }),
    ...createWebhookActivities({ registry, send: sendWebhook, unseal: unsealerOf(settings, 'webhook') }),
    ...createRunTaskActivities({
      registry,
      fetchPlan,
      tell: tellVerdict,
      unseal: unsealerOf(settings, 'run-task-token'),
    }),
  };
}

/** A webhook with a key is called signed or not at all, and a plan is read with the token that came for it. */
function unsealerOf(
  { token }: Settings,
  purpose: 'webhook' | 'run-task-token',
): (webhookId: string, sealed: Buffer) => string {
  const keys = token === undefined ? undefined : keysFrom(token.reveal());
  return (webhookId, sealed) => {
    if (keys !== undefined) return unseal((salt) => keys.derive(purpose, salt), webhookId, sealed);
    throw new Failure(
      'provider_unavailable',
      'this worker has no BAKEHOUSE_TOKEN, and the HMAC key of the webhook, or the token of the run task, opens with it: set the one of the server',
    );
  };
}

/** A cloud's own queues: acts on images, pointers and machines of one account and region. */
export function cloudActivities({ registry, providers }: Pick<Deps, 'registry' | 'providers'>): object {
  return {
    ...createEnforcementActivities({ registry, providers }),
    ...createDistributionActivities({ registry, providers }),
    ...createMachineActivities({ registry, providers }),
    ...createPointerActivities({ registry, providers }),
    ...createVerificationActivities({ registry, providers }),
  };
}

/** A bake host's own queue: Packer, and machines that live on the host. */
export function hostActivities(deps: Deps, packer: PackerRunner): object {
  const { registry, providers, credentials, settings } = deps;
  return {
    ...cloudActivities(deps),
    ...createPackerActivities({
      registry,
      providers,
      packer,
      credentials,
      server: ownServer(settings),
      graceMs: settings.host.packerGraceMs,
    }),
  };
}
