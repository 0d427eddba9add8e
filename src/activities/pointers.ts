import { setTimeout as sleep } from 'node:timers/promises';

import { Context } from '@temporalio/activity';

import { Failure } from '../domain/failure.ts';
import { type Target, targetKey } from '../domain/target.ts';
import type { ImageProvider, Pointers as CloudPointers, Providers } from '../providers/provider.ts';
import type { Pointers, WantedPointer } from '../registry/contract/enforcement.ts';
import { unreachedBy } from './unreached.ts';

export interface PointerDeps {
  readonly registry: { readonly pointers: Omit<Pointers, 'published'> };
  readonly providers: Pick<Providers, 'get'>;
  /** By default `pointerLeaseMs`. */
  readonly leaseMs?: number;
}

/**
 * One writer's time, renewed while its try lives: a try that was killed leaves the place soon, and one that is slow keeps it. A try that
 * Temporal gave up is told so, and renews no more.
 */
export const pointerLeaseMs = 30_000;

export interface Publication {
  /** `busy`: another writer is at this place. `no_pointers`: nobody can publish there; readers ask the registry. */
  readonly state: 'published' | 'busy' | 'no_pointers';
  readonly imageId: string | null;
}

const busy: Publication = { state: 'busy', imageId: null };

export function createPointerActivities({
  registry: { pointers },
  providers,
  leaseMs = pointerLeaseMs,
}: PointerDeps) {
  const whyUnreached = unreachedBy(providers);
  return {
    /** In places that this installation reaches: a pointer elsewhere would be waited for for ever. */
    async wantedPointers(
      subject: { versionId: string } | { channelId: string },
    ): Promise<readonly WantedPointer[]> {
      const places = await pointers.wantedOf(subject);
      return places.filter(({ target }) => whyUnreached(target) === undefined);
    },

    /**
     * Makes one place show what the registry wants there *now*, whoever asked and why: under the place's lease writes, reads back, records,
     * and reads again what is wanted until both are equal. So a late roll back and a newer promotion cannot cross.
     */
    async publishPointer(channelId: string, target: Target): Promise<Publication> {
      const provider = providers.get(target.provider);
      if (provider.pointers === undefined) return { state: 'no_pointers', imageId: null };
      const holder = thisTry();
      const lease = () => pointers.lease(channelId, target, holder, leaseMs);
      if (!(await lease())) return busy;
      const renewal = renewing(lease, leaseMs / 3);
      try {
        for (;;) {
          const wanted = await pointers.wanted(channelId, target);
          if (!(await show(provider, provider.pointers, wanted, lease))) return busy;
          const { versionId, imageId } = wanted;
          const isOurs = await pointers.recordPublished({ channelId, target, holder, versionId, imageId });
          if (!isOurs) return busy;
          const now = await pointers.wanted(channelId, target);
          if (now.versionId === versionId && now.imageId === imageId) return { state: 'published', imageId };
        }
      } finally {
        await renewal.stop();
        await giveBack(() => pointers.release(channelId, target, holder), leaseMs);
      }
    },
  };
}

/**
 * While the registry is away it is tried on behind the step, which has its own outcome: else the place would stay busy for as long as the
 * lease, long after the outage.
 */
async function giveBack(release: () => Promise<void>, leaseMs: number): Promise<void> {
  const until = Date.now() + leaseMs;
  const tried = () =>
    release().then(
      () => true,
      () => false,
    );
  if (await tried()) return;
  void (async () => {
    do await sleep(1_000, undefined, { ref: false });
    while (!(await tried()) && Date.now() < until);
  })();
}

/** A renewal that fails or comes too late says nothing: the lease is asked for again before anything is written. */
function renewing(lease: () => Promise<boolean>, everyMs: number): { stop(): Promise<void> } {
  const context = Context.current();
  // A try that is cancelled, paused or shut down may be in the middle of a write, and holds its place until it has ended.
  const isGivenUp = () => {
    const { notFound, timedOut, reset } = context.cancellationDetails ?? {};
    return notFound === true || timedOut === true || reset === true;
  };
  const stopping = new AbortController();
  const loop = (async () => {
    for (;;) {
      await sleep(everyMs, undefined, { signal: stopping.signal, ref: false });
      if (isGivenUp()) return;
      await lease().catch(() => false);
    }
  })().catch(() => undefined);
  return {
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}

/** Own to each try: one that was given up but still runs must not share a lease with the one that follows it. */
function thisTry(): string {
  const { workflowExecution, activityId, attempt } = Context.current().info;
  return `${workflowExecution?.workflowId ?? 'no workflow'}/${workflowExecution?.runId ?? ''}/${activityId}/${attempt}`;
}

/**
 * False when the place has become another writer's meanwhile: nothing was written. Written also where it shows the image already: where a
 * write is several calls, one that was cut short may look as if it were done.
 */
async function show(
  provider: ImageProvider,
  cloud: CloudPointers,
  wanted: WantedPointer,
  isOurs: () => Promise<boolean>,
): Promise<boolean> {
  const { target, bucket, channel, imageId } = wanted;
  const place = `${targetKey(target)}: ${bucket}/${channel}`;
  if (imageId !== null) await mustBeLaunchable(provider, wanted, imageId);
  if (!(await isOurs())) return false;
  const readBack = (await cloud.write({ target, bucket, channel }, imageId ?? undefined)) ?? null;
  if (readBack === imageId) return true;
  throw new Failure(
    'provider_unavailable',
    `${place} shows ${readBack ?? 'nothing'} after ${imageId ?? 'nothing'} was written there; it is written again`,
  );
}

/** What is published must be there: a reader of the pointer launches it without asking anybody. */
async function mustBeLaunchable(
  provider: ImageProvider,
  { target, bucket, channel }: WantedPointer,
  imageId: string,
): Promise<void> {
  const { presence } = await provider.images.inspect({ target, imageId });
  if (presence === 'present') return;
  throw new Failure(
    presence === 'pending' ? 'provider_unavailable' : 'illegal_state',
    `${targetKey(target)}: ${imageId} is ${presence} there, so ${bucket}/${channel} cannot show it; make it launchable or choose another version`,
  );
}
