import { Failure } from '../../domain/failure.ts';
import type { AppDeps } from '../app.ts';
import type { HandlersOf } from './router.ts';

export const auditHandlers: HandlersOf<'listEvents' | 'listReceipts' | 'listHosts' | 'getOutbox'> = {
  listEvents: async ({ project, after, limit, ...of }, { deps }) => ({
    events: [
      ...(await deps.registry.events.list(project, { after, limit, ...(await about(deps, project, of)) })),
    ],
  }),
  listReceipts: async ({ project, limit, ...of }, { deps }) => ({
    receipts: [
      ...(await deps.registry.enforcement.receipts(project, { limit, ...(await about(deps, project, of)) })),
    ],
  }),
  listHosts: async (_, { deps }) => ({
    hosts: [...(await deps.registry.hosts.list())],
    now: await deps.registry.now(),
  }),
  getOutbox: async (_, { deps }) => ({
    ...(await deps.registry.outbox.pending()),
    now: await deps.registry.now(),
  }),
};

/** A filter by bucket, or by one version of it. */
async function about(
  deps: AppDeps,
  project: string,
  { bucket, version }: { readonly bucket?: string; readonly version?: string },
): Promise<{ bucket?: string; versionId?: string }> {
  if (version === undefined) return bucket === undefined ? {} : { bucket };
  if (bucket === undefined) throw new Failure('invalid_input', '`version` needs `bucket` beside it');
  return { versionId: (await deps.registry.versions.find(project, bucket, version)).id };
}
