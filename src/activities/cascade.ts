import { placesBehind } from '../domain/enforcement.ts';
import { targetKey } from '../domain/target.ts';
import { workflowIds } from '../domain/workflow-ids.ts';
import type { Providers } from '../providers/provider.ts';
import type { Enforcement } from '../registry/contract/enforcement.ts';
import type { Versions } from '../registry/contract/versions.ts';
import { unreachedBy } from './unreached.ts';
import type { WorkflowStarter } from './workflow-starter.ts';

export interface CascadeDeps {
  readonly registry: {
    readonly enforcement: Pick<Enforcement, 'cascadePlan' | 'wish'>;
    readonly versions: Pick<Versions, 'get'>;
  };
  readonly starter: Pick<WorkflowStarter, 'wake'>;
  readonly providers: Pick<Providers, 'get'>;
}

export interface PlannedVersion {
  readonly versionId: string;
  /** `base v3`, for people. */
  readonly name: string;
}

export function createCascadeActivities({
  registry: { enforcement, versions },
  starter,
  providers,
}: CascadeDeps) {
  const whyUnreached = unreachedBy(providers);
  return {
    /**
     * A page of the plan, nearest first. Versions that join later stand further back, or push others there: a page may repeat one
     * and skips none.
     */
    async cascadePage(
      recordId: string,
      from: number,
      limit: number,
    ): Promise<{ readonly versions: readonly PlannedVersion[]; readonly total: number }> {
      const plan = await enforcement.cascadePlan(recordId);
      const page = plan.slice(from, from + limit);
      return {
        versions: page.map(({ versionId, bucket, versionName }) => ({
          versionId,
          name: `${bucket} ${versionName}`,
        })),
        total: plan.length,
      };
    },

    /** Wakes the version's `retire`; a closed one gets a new run, which reads what is wanted then. */
    async wakeRetire(versionId: string): Promise<void> {
      const { project } = await versions.get(versionId);
      await starter.wake('retire', workflowIds.retire(project, versionId), { versionId });
    },

    /** The places where the registry does not know yet that the wish came true. */
    async placesLeft(versionId: string): Promise<readonly string[]> {
      const left = placesBehind(await enforcement.wish(versionId, whyUnreached));
      return left.map(({ image }) => `${targetKey(image.target)}: ${image.imageId}`);
    },
  };
}
