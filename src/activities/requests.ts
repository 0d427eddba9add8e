/** Requests as workflows handle them: accepted for a person, read, told where they stand, ended. */
import { installationOperator } from '../domain/actor.ts';
import { Failure } from '../domain/failure.ts';
import type { BakeRequest, RequestKind } from '../domain/version.ts';
import type { RequestOutcome } from '../registry/contract/requests.ts';
import type { Registry } from '../registry/registry.ts';

export interface RequestDeps {
  readonly registry: Pick<Registry, 'lines' | 'requests'>;
  /** The commit that a git ref means now. */
  readonly resolveCommit: (repository: string, ref: string) => Promise<string>;
}

/** What a person typed; `key` and `heldBy` are fixed by the workflow, so that a repeat finds the same request. */
export interface TypedRequest {
  readonly kind: RequestKind;
  readonly project: string;
  readonly bucket: string;
  readonly key: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly heldBy: string;
}

export function createRequestActivities({ registry: { lines, requests }, resolveCommit }: RequestDeps) {
  return {
    async acceptRequest(typed: TypedRequest): Promise<BakeRequest> {
      const { line } = await lines.get(typed.project, typed.bucket);
      if (line === null) {
        throw new Failure(
          'illegal_state',
          `bucket ${typed.bucket} has no image line; describe it in bakehouse.yaml and run \`bakehouse apply\``,
        );
      }
      const { template } = line;
      const commit =
        template.kind === 'git' ? await resolveCommit(template.repository, template.ref) : undefined;
      const accepted = await requests.accept({
        ...typed,
        ...(commit === undefined ? {} : { commit }),
        by: installationOperator,
      });
      return accepted.request;
    },

    async getRequest(requestId: string): Promise<BakeRequest> {
      return requests.byId(requestId);
    },

    async isCancelWanted(requestId: string, attempt: number): Promise<boolean> {
      return requests.isCancelWanted(requestId, attempt);
    },

    async setStage(requestId: string, attempt: number, stage: string): Promise<void> {
      await requests.setStage(requestId, attempt, stage);
    },

    async finishRequest(requestId: string, attempt: number, outcome: RequestOutcome): Promise<void> {
      await requests.finish(requestId, attempt, outcome);
    },
  };
}
