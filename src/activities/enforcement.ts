import { deletionObstacle, isAnnounced, isBlocked, isGone } from '../domain/enforcement.ts';
import { Failure } from '../domain/failure.ts';
import type { EnforcementPlace, EnforcementWish, Receipt, ReceiptAction } from '../domain/revocation.ts';
import { type Target, targetKey } from '../domain/target.ts';
import type { LastKnown } from '../domain/version.ts';
import type { ImageProvider, ImageState, Providers } from '../providers/provider.ts';
import type { Enforcement } from '../registry/contract/enforcement.ts';
import type { Versions } from '../registry/contract/versions.ts';
import { unreachedBy } from './unreached.ts';

export interface EnforcementDeps {
  readonly registry: {
    readonly enforcement: Omit<Enforcement, 'cascadePlan'>;
    readonly versions: Pick<Versions, 'get'>;
    now(): Promise<string>;
  };
  readonly providers: Pick<Providers, 'get'>;
}

/** One act on one image. The receipt's id is fixed before the act, so that a repeat writes no second one. */
export interface Act {
  readonly versionId: string;
  readonly artifactId: string;
  readonly receiptId: string;
}

/** `changed`: the registry wants something else by now, nothing was done. `refused`: not now, `why` says what is in the way. */
export type ActResult =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'changed' }
  | { readonly outcome: 'refused'; readonly why: string };

/**
 * Every act reads the wish itself, immediately before its effect: between the workflow's decision and a late try the wish may have
 * turned round.
 */
export function createEnforcementActivities({ registry, providers }: EnforcementDeps) {
  const { enforcement, versions } = registry;
  const whyUnreached = unreachedBy(providers);
  const wishOf = (versionId: string) => enforcement.wish(versionId, whyUnreached);

  async function wantedNow(
    act: Act,
    ...wanted: readonly EnforcementWish['wanted'][]
  ): Promise<Job | undefined> {
    const wish = await wishOf(act.versionId);
    const place = wish.places.find(({ artifactId }) => artifactId === act.artifactId);
    // Another version has the image, too, and says by now what is wanted of it.
    if (place === undefined || !wanted.includes(wish.wanted) || isGone(place)) return undefined;
    return { wish, place, provider: providers.get(place.image.target.provider) };
  }

  async function sign(act: Act, { place }: Job, receipt: Signed): Promise<void> {
    const { versionId, artifactId, receiptId } = act;
    const { target } = place.image;
    await enforcement.record({
      receiptId,
      versionId,
      artifactId,
      target,
      outcome: 'done',
      launchable: null,
      ...receipt,
    });
  }

  const receiptsOf = async ({ versionId, artifactId }: Act, outcome: Receipt['outcome'] = 'done') => {
    const { project } = await versions.get(versionId);
    const receipts = await enforcement.receipts(project, { versionId, artifactId, limit: 1_000 });
    return receipts.filter((one) => one.artifactId === artifactId && one.outcome === outcome);
  };

  /** The newest proof says blocked, and was made under the revocation in force: the grace before a deletion counts from it. */
  async function isProvedBlocked(act: Act, revokedAt: string | null): Promise<boolean> {
    const proofs = (await receiptsOf(act)).filter(({ action }) => provesLaunchability.has(action));
    const newest = proofs.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at))[0];
    return newest?.action === 'disable' && Date.parse(newest.at) >= Date.parse(revokedAt ?? newest.at);
  }

  const announcedBefore = async (act: Act) =>
    (await receiptsOf(act)).some(({ action }) => action === 'deprecate');

  /** A place without such a field holds nothing up: the registry tells the date to all who ask it. Said once for each date. */
  async function notAnnounced(act: Act, job: Job): Promise<ActResult> {
    const { wish, provider } = job;
    if (wish.deprecateAt === null) return done;
    const detail = `unsupported: ${provider.code} has no field for an announced end (${wish.deprecateAt}); ask the registry for it`;
    const said = (await receiptsOf(act, 'refused')).some((one) => one.detail === detail);
    if (!said) await sign(act, job, { action: 'deprecate', outcome: 'refused', detail });
    return done;
  }

  /** Said once for each revocation, when the image is blocked: nothing comes after it that would be waited for. */
  async function notDeleted(act: Act, job: Job): Promise<void> {
    const since = Date.parse(job.wish.deprecateAt ?? '');
    const said = (await receiptsOf(act, 'refused')).some(
      ({ action, at }) => action === 'delete' && Date.parse(at) >= since,
    );
    if (said) return;
    const detail = `${job.place.image.imageId} is not deleted: only images that Bakehouse baked are deleted; it stays blocked, delete it by hand`;
    const of = { ...act, receiptId: `${act.receiptId}/kept` };
    await sign(of, job, { action: 'delete', outcome: 'refused', detail });
  }

  /** An image that is gone cannot be made usable: that is recorded, and nothing is left to be done. */
  async function notBack(act: Act, job: Job, { presence }: ImageState): Promise<ActResult> {
    if (presence !== 'missing') {
      throw new Failure('provider_unavailable', `${named(job.place)} is ${presence} after it was enabled`);
    }
    const detail = 'the image is not there any more; bake the line again';
    await sign(act, job, {
      action: 'verify',
      outcome: 'failed',
      launchable: false,
      detail,
      lastKnown: 'missing',
    });
    return done;
  }

  return {
    /** Of one image with no other one's place: each asks, and a history holds every answer. Of places that this installation reaches. Of the others is written down that nobody here can make it true there. */
    async enforcementWish(versionId: string, artifactId?: string): Promise<EnforcementWish> {
      const wish = await wishOf(versionId);
      if (wish.unreached !== undefined && wish.wanted !== 'usable') {
        await enforcement.refuseUnreached(versionId, whyUnreached);
      }
      if (artifactId === undefined) return wish;
      return { ...wish, places: wish.places.filter((place) => place.artifactId === artifactId) };
    },

    /** Keeps with whom the image is shared: blocking it may forget that. One that is not there is shared with nobody. */
    async recordShares(act: Act): Promise<ActResult> {
      const job = await wantedNow(act, 'blocked', 'deleted');
      if (job === undefined) return changed;
      const { place, provider } = job;
      if (provider.sharing !== undefined && place.recordedShares === null) {
        const { presence } = await provider.images.inspect(place.image);
        if (presence === 'missing') return done;
        await enforcement.recordShares(act.artifactId, await provider.sharing.read(place.image));
      }
      return done;
    },

    /** Blocks it, also one that is known as blocked: an enabling that was cut short may have left it launchable. */
    async blockImage(act: Act): Promise<ActResult> {
      const job = await wantedNow(act, 'blocked', 'deleted');
      if (job === undefined) return changed;
      const { wish, place, provider } = job;
      const { presence } = await provider.images.setLaunchable(place.image, false);
      const blocks = provider.capabilities.disable === 'blocks';
      if (blocks && presence !== 'disabled' && presence !== 'missing') {
        throw new Failure(
          'provider_unavailable',
          `${named(place)} is still ${presence} after it was disabled`,
        );
      }
      const isMissing = presence === 'missing';
      if (!isBlocked(place) || isMissing || !(await isProvedBlocked(act, wish.deprecateAt))) {
        await sign(act, job, {
          action: 'disable',
          launchable: blocks || isMissing ? false : null,
          detail: isMissing
            ? 'the image is not there'
            : sentence(blocks ? 'blocked' : 'hidden only', wish.reason),
          lastKnown: isMissing ? 'missing' : 'disabled',
        });
      }
      if (wish.keeps === true && !isMissing) await notDeleted(act, job);
      return done;
    },

    /** Puts the date in the cloud's own field, or takes ours away, where the provider has one and shows another date. */
    async announceEnd(act: Act): Promise<ActResult> {
      const job = await wantedNow(act, 'usable', 'blocked');
      if (job === undefined) return changed;
      const { wish, place, provider } = job;
      if (provider.deprecate === undefined) return notAnnounced(act, job);
      const { presence, deprecatedAt } = await provider.images.inspect(place.image);
      if (presence === 'missing') return done;
      const isThere = isAnnounced(deprecatedAt, wish.deprecateAt, await registry.now());
      // There without a receipt: the try that wrote it was cut short, or several places have one date.
      if (isThere && (wish.deprecateAt === null || (await announcedBefore(act)))) return done;
      // A blocked image keeps its date, and a date that the template gave is none of ours.
      if (wish.deprecateAt === null && !(wish.wanted === 'usable' && (await announcedBefore(act))))
        return done;
      if (!isThere) await provider.deprecate(place.image, wish.deprecateAt ?? undefined);
      const detail =
        wish.deprecateAt === null ? 'the announced end was taken back' : `ends ${wish.deprecateAt}`;
      await sign(act, job, { action: 'deprecate', detail });
      return done;
    },

    async enableImage(act: Act): Promise<ActResult> {
      const job = await wantedNow(act, 'usable');
      if (job === undefined) return changed;
      const state = await job.provider.images.setLaunchable(job.place.image, true);
      if (state.presence !== 'present') return notBack(act, job, state);
      // The last known state turns only with the last step, `verifyImage`: a run that ends between begins again.
      if (isBlocked(job.place)) {
        await sign(act, job, { action: 'enable', launchable: true, detail: 'enabled again' });
      }
      return done;
    },

    async putSharesBack(act: Act): Promise<ActResult> {
      const job = await wantedNow(act, 'usable');
      if (job === undefined) return changed;
      const { place, provider } = job;
      const { sharing } = provider;
      if (sharing === undefined || place.recordedShares === null) return done;
      const leftOut = place.recordedShares.flatMap((share) => {
        const why = sharing.neverWritten?.(share);
        return why === undefined ? [] : [{ share, why }];
      });
      const shares = place.recordedShares.filter((share) => !leftOut.some((one) => one.share === share));
      const now = await sharing.read(place.image);
      if (!shares.every((share) => now.includes(share))) {
        const kept = now.filter((share) => sharing.neverWritten?.(share) === undefined);
        await sharing.write(place.image, [...new Set([...kept, ...shares])]);
      }
      const not = leftOut.map(({ share, why }) => `; not with ${share}: ${why}`).join('');
      // Also for nobody: the receipt ends what was recorded, so that the next block records anew.
      await sign(act, job, { action: 'share', detail: `shared with ${shares.join(', ') || 'nobody'}${not}` });
      return done;
    },

    /** Looks whether the image is there and launchable; from now on the version counts as verified there. */
    async verifyImage(act: Act): Promise<ActResult> {
      const job = await wantedNow(act, 'usable');
      if (job === undefined) return changed;
      const state = await job.provider.images.inspect(job.place.image);
      if (state.presence !== 'present') return notBack(act, job, state);
      await sign(act, job, {
        action: 'verify',
        launchable: true,
        detail: 'seen present and launchable',
        lastKnown: 'present',
      });
      return done;
    },

    /** Deletes the image with its storage, only with fresh proof from every inventory that nothing uses it. */
    async deleteImage(act: Act): Promise<ActResult> {
      const job = await wantedNow(act, 'deleted');
      if (job === undefined) return changed;
      const { wish, place, provider } = job;
      if (!isBlocked(place)) return { outcome: 'refused', why: 'it is not blocked yet' };
      const report = await provider.images.uses(place.image, place.recordedShares ?? []);
      const replicas = report.uses.filter(
        ({ kind, target }) => kind === 'replica' && isOwnPlace(wish, target),
      );
      if (replicas.length > 0) {
        // They are deleted by the same wish: no reason to wait for a day.
        const where = replicas.map(({ id }) => id).join(', ');
        throw new Failure(
          'provider_unavailable',
          `${named(place)}: its replicas in ${where} are deleted first`,
        );
      }
      const obstacle = deletionObstacle(report, await registry.now());
      const launched = report.lastLaunchedAt === undefined ? '' : `; last launched ${report.lastLaunchedAt}`;
      if (obstacle !== undefined) return { outcome: 'refused', why: `${obstacle}${launched}` };
      await provider.images.remove(place.image);
      const detail = sentence(`deleted; nothing used it${launched}`, wish.reason);
      await sign(act, job, { action: 'delete', launchable: false, detail, lastKnown: 'deleted' });
      return done;
    },

    /** Writes down, under a receipt of its own, that an act was refused or failed. */
    async recordObstacle(
      act: Act,
      action: ReceiptAction,
      outcome: 'refused' | 'failed',
      detail: string,
    ): Promise<void> {
      const { places } = await wishOf(act.versionId);
      const place = places.find(({ artifactId }) => artifactId === act.artifactId);
      if (place === undefined) return;
      const { target } = place.image;
      await enforcement.record({ ...act, target, action, outcome, launchable: null, detail });
    },
  };
}

interface Job {
  readonly wish: EnforcementWish;
  readonly place: EnforcementPlace;
  readonly provider: ImageProvider;
}

interface Signed {
  readonly action: ReceiptAction;
  readonly detail: string;
  readonly outcome?: Receipt['outcome'];
  readonly launchable?: boolean | null;
  readonly lastKnown?: LastKnown;
}

const provesLaunchability = new Set<ReceiptAction>(['disable', 'enable', 'verify']);

const done: ActResult = { outcome: 'done' };
const changed: ActResult = { outcome: 'changed' };

const sentence = (what: string, reason: string) => (reason === '' ? what : `${what}: ${reason}`);

const isOwnPlace = ({ places }: EnforcementWish, target: Target): boolean =>
  places.some((one) => !isGone(one) && targetKey(one.image.target) === targetKey(target));

const named = ({ image: { target, imageId } }: EnforcementPlace) => `${targetKey(target)}: ${imageId}`;
