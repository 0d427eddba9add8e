/** What a release reads and asks of the registry between its children. */
import { system } from '../domain/actor.ts';
import type { Promotion } from '../domain/channel.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { targetKey } from '../domain/target.ts';
import type { Version } from '../domain/version.ts';
import { workflowIds } from '../domain/workflow-ids.ts';
import type { Providers } from '../providers/provider.ts';
import type { Registry } from '../registry/registry.ts';
import { type BakeResult, resultOf } from './bakes.ts';
import { unreachedBy } from './unreached.ts';
import type { WorkflowStarter } from './workflow-starter.ts';

export interface ReleaseDeps {
  readonly registry: Pick<Registry, 'bakes' | 'channels' | 'promotions' | 'requests' | 'versions'>;
  readonly providers: Providers;
  readonly workflows: Pick<WorkflowStarter, 'nudge'>;
}

export function createReleaseActivities({ registry, providers, workflows }: ReleaseDeps) {
  const { bakes, channels, promotions, requests, versions } = registry;
  return {
    /** The version that others completed, as a bake of ours would answer it. Refused where it cannot be tested or may not be used. */
    async adoptVersion(versionId: string): Promise<BakeResult> {
      const version = await versions.get(versionId);
      refuseUnadoptable(version, providers);
      return resultOf(version);
    },

    /** The channels of the line as it was pinned, in promotion order. */
    async promotionPath(requestId: string): Promise<readonly string[]> {
      const { line } = await requests.pins(requestId);
      return line.channels.map(({ name }) => name);
    },

    /** Asks for a promotion that the workflow of that id holds; null where the channel has the version already. */
    async requestPromotion(
      promotionId: string,
      requestId: string,
      versionId: string,
      channel: string,
    ): Promise<Promotion | null> {
      const { project, bucket } = await versions.get(versionId);
      const { effective } = await channels.get(project, bucket, channel);
      if (effective.versionId === versionId && !effective.revoked) return null;
      return promotions.request({
        promotionId,
        project,
        bucket,
        channel,
        versionId,
        requestId,
        reason: `release ${requestId}`,
        heldBy: workflowIds.promote(project, promotionId),
        by: system('release'),
      });
    },

    /** Ends a promotion that was asked for, and tells who may be running it; nothing when it was never asked for or has ended. */
    async withdrawPromotion(promotionId: string, detail: string): Promise<void> {
      try {
        const { endedAt, project } = await promotions.get(promotionId);
        if (endedAt === null) await promotions.end(promotionId, 'failed', detail);
        await workflows.nudge(workflowIds.promote(project, promotionId));
      } catch (error) {
        if (!isFailure(error) || error.code !== 'not_found') throw error;
      }
    },

    /** The artifact's latest test, for one who waits for a run that it does not own. */
    async artifactTest(
      artifactId: string,
    ): Promise<{ readonly id: string; readonly passed: boolean } | null> {
      const { test } = await bakes.getArtifact(artifactId);
      return test === null ? null : { id: test.id, passed: test.passed };
    },
  };
}

const shown = 5;

function refuseUnadoptable({ bucket, name, revocation, builds }: Version, providers: Providers): void {
  const what = `${bucket} ${name}`;
  if (revocation.state === 'revoked') {
    throw new Failure('illegal_state', `${what} is revoked: restore it, and ask for its release again`);
  }
  const images = builds.flatMap(({ artifacts }) => artifacts.map(({ image }) => image));
  if (images.length === 0) {
    throw new Failure('illegal_state', `${what} was published without an image: there is nothing to test`);
  }
  const whyUnreached = unreachedBy(providers);
  const unreached = images.flatMap(({ imageId, target }) => {
    const why = whyUnreached(target);
    return why === undefined ? [] : [`${imageId} in ${targetKey(target)}: ${why}`];
  });
  if (unreached.length === 0) return;
  const more = unreached.length > shown ? `; and ${String(unreached.length - shown)} more` : '';
  throw new Failure(
    'illegal_state',
    `${what} cannot be adopted: ${unreached.slice(0, shown).join('; ')}${more}`,
  );
}
