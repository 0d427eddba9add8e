import { Failure } from '../../domain/failure.ts';
import type { BucketSummary } from '../../registry/contract/lines.ts';
import { includesRole } from '../../domain/role.ts';
import type { AppDeps } from '../app.ts';
import type { Principal } from '../principals.ts';
import type { HandlersOf } from './router.ts';

export const requestHandlers: HandlersOf<
  'acceptRequest' | 'listRequests' | 'getRequest' | 'cancelRequest' | 'listLogs' | 'readLog'
> = {
  acceptRequest: async ({ ref, ...input }, { deps, actor, principal }) => {
    const summary = await deps.registry.lines.get(input.project, input.bucket);
    if (isElsewhere(summary, ref)) authorizeRef(principal, input, summary);
    const commit = await pinCommit(deps, summary, ref);
    return deps.registry.requests.accept({ ...input, ...commit, by: actor });
  },
  listRequests: async ({ project, ...filter }, { deps }) => ({
    requests: [...(await deps.registry.requests.list(project, filter))],
  }),
  getRequest: async ({ project, request }, { deps }) => deps.registry.requests.get(project, request),
  cancelRequest: async ({ project, request }, { deps, actor }) =>
    deps.registry.requests.cancel(project, request, actor),
  listLogs: async ({ project, request }, { deps }) => {
    const { id } = await deps.registry.requests.get(project, request);
    return { streams: [...(await deps.registry.logs.streams(id))] };
  },
  readLog: async ({ project, request, stream, after, limit }, { deps }) => {
    const { id } = await deps.registry.requests.get(project, request);
    const streams = await deps.registry.logs.streams(id);
    if (!streams.some((one) => one.stream === stream)) {
      throw new Failure('not_found', `request ${id} has no log stream ${stream}`);
    }
    return deps.registry.logs.read(stream, after, limit);
  },
};

/** A template that nobody applied: it runs as any other on the bake hosts, so it takes who may apply. */
const isElsewhere = ({ line }: BucketSummary, ref: string | undefined): boolean =>
  ref !== undefined && line?.template.kind === 'git' && ref !== line.template.ref;

function authorizeRef(
  principal: Principal,
  { project, bucket }: { readonly project: string; readonly bucket: string },
  { line }: BucketSummary,
): void {
  if (includesRole(principal.roleIn(project, bucket), 'admin')) return;
  const own = line?.template.kind === 'git' ? line.template.ref : '';
  throw new Failure(
    'permission_denied',
    `${principal.name} may bake ${bucket} from "${own}" only, the ref of its line: another one takes the role admin there, because whoever chooses the template runs code on the bake hosts. Leave the ref out, or have it applied.`,
  );
}

/** What `ref` means now; from here on the request speaks of the commit only. */
async function pinCommit(
  deps: AppDeps,
  { bucket, line }: BucketSummary,
  ref: string | undefined,
): Promise<{ commit?: string }> {
  if (line?.template.kind === 'git') {
    return { commit: await deps.resolveCommit(line.template.repository, ref ?? line.template.ref) };
  }
  if (ref === undefined) return {};
  throw new Failure(
    'invalid_input',
    `${bucket} takes its template from an uploaded folder, so there is no ref to choose: apply the line again instead`,
  );
}
