/** The registry's contract, as far as the activities of a version's later life use it, on a `World`. */
import type { Channel } from '../../../src/domain/channel.ts';
import { openGates } from '../../../src/domain/image-line.ts';
import { type Target, targetKey, type WhyUnreached } from '../../../src/domain/target.ts';
import type { Version } from '../../../src/domain/version.ts';
import type { World, WorldVersion } from './world.ts';

const placeOf = (channelId: string, target: Target) => `${channelId} ${targetKey(target)}`;

export function registryOf(world: World) {
  const channelNamed = (bucket: string, name: string) => world.channel(`${bucket}-${name}`);

  return {
    now: async () => world.now,
    versions: {
      get: async (versionId: string) => asVersion(world, world.version(versionId)),
      find: async (_project: string, bucket: string, name: string) =>
        asVersion(world, world.versionNamed(bucket, name)),
    },
    channels: {
      get: async (_project: string, bucket: string, name: string) =>
        asChannel(world, channelNamed(bucket, name)),
    },
    claims: {
      claim: async (subject: string, workflowId: string) => {
        const heldBy = world.claims.get(subject);
        if (heldBy !== undefined && heldBy !== workflowId) return { held: false as const, heldBy };
        world.claims.set(subject, workflowId);
        return { held: true as const };
      },
      release: async (subject: string, workflowId: string) => {
        if (world.claims.get(subject) === workflowId) world.claims.delete(subject);
      },
      takeOver: async (subject: string, from: string, to: string) => {
        if (world.claims.get(subject) !== from) return false;
        world.claims.set(subject, to);
        return true;
      },
      holder: async (subject: string) => world.claims.get(subject),
    },
    promotions: {
      request: async (asked: { promotionId?: string; bucket: string; channel: string; versionId: string }) =>
        world.requestPromotion(
          asked.promotionId ?? 'promotion',
          channelNamed(asked.bucket, asked.channel).id,
          asked.versionId,
        ),
      get: async (id: string) => world.promotion(id),
      gates: async (id: string) => {
        const { endedAt, detail } = world.promotion(id);
        return endedAt === null ? world.gates : { verdict: 'refuse' as const, reasons: [detail] };
      },
      beginPublishing: async (id: string) => world.beginPublishing(id),
      complete: async (id: string) => world.completePromotion(id),
      end: async (id: string, state: 'refused' | 'rejected' | 'superseded' | 'failed', detail: string) =>
        world.endPromotion(id, state, detail),
      reject: async (id: string, reason: string) => world.endPromotion(id, 'rejected', reason),
    },
    pointers: {
      wantedOf: async (subject: { versionId: string } | { channelId: string }) =>
        world.channels
          .filter(({ id, history }) =>
            'channelId' in subject
              ? id === subject.channelId
              : history.some(({ versionId }) => versionId === subject.versionId),
          )
          .flatMap(({ id, targets }) => targets.map((target) => world.wanted(id, target))),
      wanted: async (channelId: string, target: Target) => {
        await world.pause('read what is wanted');
        return world.wanted(channelId, target);
      },
      lease: async (channelId: string, target: Target, holder: string, ttlMs: number) => {
        await world.pause('lease');
        const place = placeOf(channelId, target);
        const lease = world.leases.get(place);
        const now = Date.parse(world.now);
        if (lease !== undefined && lease.holder !== holder && lease.until > now) return false;
        world.leases.set(place, { holder, until: now + ttlMs });
        return true;
      },
      release: async (channelId: string, target: Target, holder: string) => {
        await world.pause('release');
        const place = placeOf(channelId, target);
        if (world.leases.get(place)?.holder === holder) world.leases.delete(place);
      },
      recordPublished: async ({
        channelId,
        target,
        holder,
        imageId,
      }: {
        readonly channelId: string;
        readonly target: Target;
        readonly holder: string;
        readonly imageId: string | null;
      }) => {
        await world.pause('record');
        const place = placeOf(channelId, target);
        if (world.leases.get(place)?.holder !== holder) return false;
        world.published.set(place, imageId);
        return true;
      },
    },
    revocations: {
      revoke: async (asked: Parameters<World['revoke']>[0]) => {
        const record = world.revoke(asked);
        return { record, version: asVersion(world, world.version(record.versionId)) };
      },
      reschedule: async (recordId: string, at: string) => world.records.move(recordId, at),
      lift: async (recordId: string) => world.records.lift(recordId),
      records: async (versionId: string) => world.records.of(versionId),
      nextDue: async (versionId: string) => world.records.nextDue(versionId),
      materialiseDue: async (watching?: string) => {
        const materialised = world.records.materialise();
        const next = watching === undefined ? undefined : world.records.nextDue(watching);
        return { materialised, early: materialised === 0 ? (next?.waitMs ?? 0) : 0 };
      },
    },
    heartbeats: {
      nextExpiry: async (versionId: string) => world.nextExpiry(versionId),
      expire: async (versionId: string) => world.expire(versionId),
    },
    enforcement: {
      wish: async (versionId: string, whyUnreached: WhyUnreached = () => undefined) => {
        await world.pause('wish');
        const wish = world.wish(versionId);
        const places = wish.places.filter(({ image }) => whyUnreached(image.target) === undefined);
        const unreached = wish.places.length - places.length;
        return unreached === 0 ? wish : { ...wish, places, unreached };
      },
      refuseUnreached: async (versionId: string, whyUnreached: WhyUnreached) => {
        for (const { artifactId, image } of world.wish(versionId).places) {
          const why = whyUnreached(image.target);
          if (why === undefined) continue;
          world.recordReceipt({
            receiptId: `unreached ${artifactId}`,
            versionId,
            artifactId,
            target: image.target,
            action: 'disable',
            outcome: 'refused',
            launchable: null,
            detail: why,
          });
        }
      },
      recordShares: async (artifactId: string, shares: readonly string[]) => {
        const artifact = world.artifacts.find((one) => one.artifactId === artifactId);
        if (artifact !== undefined) artifact.recordedShares ??= shares;
      },
      record: async (receipt: Parameters<World['recordReceipt']>[0]) => world.recordReceipt(receipt),
      receipts: async (_project: string, { versionId }: { versionId?: string }) =>
        [...world.receipts.values()]
          .filter((one) => versionId === undefined || one.versionId === versionId)
          .map(({ receiptId, ...receipt }) => ({ ...receipt, id: receiptId })),
      cascadePlan: async (recordId: string) => world.cascadePlan(recordId),
    },
  };
}

function asVersion(world: World, { id, bucket, name }: WorldVersion): Version {
  return {
    id,
    project: 'default',
    bucket,
    fingerprint: id,
    number: Number(name.slice(1)),
    name,
    state: 'complete',
    failure: null,
    requestId: null,
    template: null,
    createdAt: world.now,
    completedAt: world.now,
    builds: [],
    parents: [],
    tested: true,
    verified: true,
    revocation: world.records.standing(id).status,
  };
}

function asChannel(world: World, { id, bucket, name }: ReturnType<World['channel']>): Channel {
  const versionId = world.effective(id);
  return {
    id,
    project: 'default',
    bucket,
    name,
    position: 0,
    managed: false,
    restricted: false,
    gates: openGates,
    effective: { versionId, versionName: null, assignmentId: null, revoked: false, derived: false },
  };
}
