import type { RegistryEvent } from '../../domain/events.ts';
import { Failure } from '../../domain/failure.ts';
import type { AppDeps } from '../app.ts';
import type { Principal } from '../principals.ts';
import { hiddenFrom } from '../sights.ts';
import type { HandlersOf } from './router.ts';

export const auditHandlers: HandlersOf<'listEvents' | 'listReceipts' | 'listHosts' | 'getOutbox'> = {
  listEvents: async ({ project, after, limit, ...of }, { deps, principal }) => {
    const subject = await about(deps, project, of);
    const lot = Math.max(limit, atOnce);
    const seen: RegistryEvent[] = [];
    for (let from = after; ;) {
      const some = await deps.registry.events.list(project, { after: from, limit: lot, ...subject });
      seen.push(...(await shown(deps, principal, project, some)));
      const last = some.at(-1);
      if (last === undefined || some.length < lot || seen.length >= limit) break;
      from = last.sequence;
    }
    return { events: seen.slice(0, limit) };
  },
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

/** Events are read in lots of this size at least: the caller may not see some of them. */
const atOnce = 200;

/** Without what is about a channel that the caller does not see; what only mentions one does not name it. */
async function shown(
  { registry }: AppDeps,
  principal: Principal,
  project: string,
  events: readonly RegistryEvent[],
): Promise<readonly RegistryEvent[]> {
  const named = events.flatMap(({ bucket, data: { channel } }) =>
    bucket === null || typeof channel !== 'string' ? [] : [{ bucket, channel }],
  );
  const isHidden = await hiddenFrom(principal, registry, project, named);
  return events.flatMap((event) => {
    const { channel, ...data } = event.data;
    if (!isHidden(event.bucket, channel)) return [event];
    return /^(?:channel|promotion)\./.test(event.kind) ? [] : [{ ...event, data }];
  });
}

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
