/** From the place where a version was baked and tested to all the places where its line wants it. */
import { createHash } from 'node:crypto';
import { Failure } from '../domain/failure.ts';
import type { LineTarget } from '../domain/image-line.ts';
import { type Target, targetKey } from '../domain/target.ts';
import type { Artifact, Version } from '../domain/version.ts';
import type { ImageProvider, Providers } from '../providers/provider.ts';
import type { Registry } from '../registry/registry.ts';
import { callContext, runId } from './call-context.ts';
import { takeCopyAway } from './taking-away.ts';
import { sharedTags } from './verification.ts';

export interface DistributionDeps {
  readonly registry: Pick<Registry, 'bakes' | 'enforcement' | 'ledger' | 'now' | 'requests' | 'versions'>;
  readonly providers: Providers;
}

/** One copy that the line wants. */
export interface PlannedCopy {
  /** The same for every try and every run, so that no second copy is made. */
  readonly copyId: string;
  readonly versionId: string;
  readonly artifactId: string;
  readonly target: Target;
}

export interface PlannedShare {
  readonly versionId: string;
  readonly artifactId: string;
  readonly target: Target;
}

export function createDistributionActivities({ registry, providers }: DistributionDeps) {
  const { bakes, enforcement, ledger, requests, versions } = registry;

  async function placeOf({ requestId }: Version, target: Target): Promise<LineTarget | undefined> {
    if (requestId === null) return undefined;
    const { line } = await requests.pins(requestId);
    return line.targets.find((one) => targetKey(one) === targetKey(target));
  }

  /** Before the effect: `recordCopy` would refuse the copy, after hours perhaps. */
  async function refuseUnwanted({ id, bucket, name, requestId, revocation }: Version): Promise<void> {
    const what = `${bucket} ${name}`;
    if (revocation.state === 'revoked') {
      throw new Failure('illegal_state', `${what} is revoked: restore it before it is copied`);
    }
    if (requestId === null) return;
    const { state, versionId } = await requests.byId(requestId);
    if (state === 'open' && versionId === id) return;
    throw new Failure(
      'conflict',
      `${what} is not copied: the request ${requestId} of its release is ${state}; release the line again`,
    );
  }

  /** Another account copies what is shared with it. Only where the line shares the image anyway: then it is done before, not after. */
  async function shareForCopy(version: Version, { image }: Artifact, { account }: Target): Promise<void> {
    const { sharing } = providers.get(image.target.provider);
    const wanted = (await placeOf(version, image.target))?.shareWith ?? [];
    if (sharing === undefined || account === image.target.account || !wanted.includes(account)) return;
    const now = await sharing.read(image);
    // Those of other copies that are under way stay.
    const kept = now.filter((share) => sharing.neverWritten?.(share) === undefined);
    if (!now.includes(account)) await sharing.write(image, [...new Set([...kept, ...wanted])]);
  }

  return {
    /** What is still to be copied, each from the image of the same provider that Packer made first. */
    async plannedCopies(versionId: string): Promise<readonly PlannedCopy[]> {
      const version = await versions.get(versionId);
      if (version.requestId === null) return [];
      const { line } = await requests.pins(version.requestId);
      return version.builds.flatMap(({ source, artifacts }) =>
        line.targets
          .filter((target) => target.copy === true && !artifacts.some(isIn(target)))
          .flatMap((target): PlannedCopy[] => {
            const original = originalFor(artifacts, target);
            if (original === undefined) {
              if (artifacts.some(({ image }) => image.target.provider !== target.provider)) return [];
              throw new Failure(
                'illegal_state',
                `${source} made no image that ${targetKey(target)} could be copied from`,
              );
            }
            const { provider, account, region } = target;
            return [
              {
                copyId: copyIdOf(original.id, target),
                versionId,
                artifactId: original.id,
                target: { provider, account, region },
              },
            ];
          }),
      );
    },

    /** The version owns the entry: once its release has ended, a copy that was not recorded is taken away. */
    async openCopy({ copyId, versionId, target }: PlannedCopy): Promise<void> {
      await ledger.open({ id: entryOf(copyId), owner: versionId, kind: 'image', mark: copyId, target });
    },

    async closeCopy(copyId: string): Promise<void> {
      await ledger.close(entryOf(copyId));
    },

    /** Copies, or goes on waiting for the copy of an earlier try, and records it. */
    async copyImage({ copyId, versionId, artifactId, target }: PlannedCopy): Promise<void> {
      const version = await versions.get(versionId);
      await refuseUnwanted(version);
      const original = artifactOf(version, artifactId);
      const provider = providers.get(target.provider);
      const place = await placeOf(version, target);
      await shareForCopy(version, original, target);
      const { tags } = await provider.images.inspect(original.image);
      const image = await distributionOf(provider).copy(
        {
          copyId,
          runId: runId(),
          mark: {
            bakeId: (await bakes.bakeIdOf(versionId)) ?? version.fingerprint,
            attemptId: tags['attempt_id'] ?? version.fingerprint,
            imageName: tags['image_name'] ?? `${version.bucket}-${artifactId.toLowerCase()}`,
          },
          source: original.image,
          target,
          settings: place?.settings ?? {},
        },
        callContext(),
      );
      await bakes.recordCopy({ copiedFrom: artifactId, image });
    },

    /** Takes the copy away, unless the version has it. One that may not be deleted stays disabled, and its entry open for the reaper. */
    async sweepCopy(copy: PlannedCopy): Promise<void> {
      const deps = { registry, providers };
      if ((await takeCopyAway(deps, copy)) === 0 || (await takeCopyAway(deps, copy)) === 0) return;
      throw new Failure(
        'cleanup_incomplete',
        `the copy ${copy.copyId} in ${targetKey(copy.target)} is still listed after it was taken away`,
      );
    },

    /** Images whose place says with whom they are shared. */
    async plannedShares(versionId: string): Promise<readonly PlannedShare[]> {
      const version = await versions.get(versionId);
      const shares: PlannedShare[] = [];
      for (const { id: artifactId, image } of version.builds.flatMap((build) => build.artifacts)) {
        if ((await placeOf(version, image.target))?.shareWith === undefined) continue;
        shares.push({ versionId, artifactId, target: image.target });
      }
      return shares;
    },

    /** Shares one image as its line says, writes the tags where the shares see them, reads both back, and leaves a receipt. */
    async shareImage(receiptId: string, { versionId, artifactId }: PlannedShare): Promise<void> {
      const version = await versions.get(versionId);
      const { image } = artifactOf(version, artifactId);
      const wanted = (await placeOf(version, image.target))?.shareWith ?? [];
      const { sharing, code, images } = providers.get(image.target.provider);
      if (sharing === undefined) {
        throw new Failure(
          'unsupported',
          `${code} cannot share images: remove \`shareWith\` from ${targetKey(image.target)}`,
        );
      }
      const read = await sharing.write(image, wanted);
      const missing = wanted.filter((share) => !read.includes(share));
      if (missing.length > 0) {
        throw new Failure(
          'provider_unavailable',
          `${targetKey(image.target)}: ${image.imageId} is not shared with ${missing.join(', ')} yet; it is shared again`,
        );
      }
      const { tags } = await images.inspect(image);
      const seen = await sharing.tag?.(image, { ...tags, ...sharedTags(version) });
      const tagged =
        seen === undefined
          ? `no tags of their own for them: unsupported by ${code}`
          : `tagged in ${seen.tagged.join(', ') || 'none of them'}`;
      const unreached = (seen?.notReached ?? []).map(({ share, why }) => `; no tags in ${share}: ${why}`);
      await enforcement.record({
        receiptId,
        versionId,
        artifactId,
        target: image.target,
        action: 'share',
        outcome: 'done',
        launchable: null,
        detail: `shared with ${read.join(', ') || 'nobody'}; ${tagged}${unreached.join('')}`,
      });
    },

    /** What was given for a copy, or by a try that was cut short: without a receipt the registry knows nothing of it. */
    async takeShareBack({ versionId, artifactId }: PlannedShare): Promise<void> {
      const version = await versions.get(versionId);
      const { image } = artifactOf(version, artifactId);
      const { sharing, images } = providers.get(image.target.provider);
      const receipts = await enforcement.receipts(version.project, { versionId, limit: 1_000 });
      const receipted = new Set(
        receipts.flatMap((one) =>
          one.action === 'share' && one.outcome === 'done' && one.artifactId !== null ? [one.artifactId] : [],
        ),
      );
      if (sharing === undefined || receipted.has(artifactId)) return;
      const { presence } = await images.inspect(image);
      if (presence === 'missing') return;
      // One image in several regions of an Azure gallery is shared as a whole: what another region has its receipt for stays.
      const kept: string[] = [];
      for (const other of version.builds.flatMap(({ artifacts }) => artifacts)) {
        const { target, imageId } = other.image;
        if (!receipted.has(other.id) || imageId !== image.imageId) continue;
        if (target.provider !== image.target.provider || target.account !== image.target.account) continue;
        kept.push(...((await placeOf(version, target))?.shareWith ?? []));
      }
      await sharing.write(image, [...new Set(kept)]);
    },
  };
}

/** Of one length whatever the place is called: clouds bound the length of a mark. */
function copyIdOf(artifactId: string, target: Target): string {
  return `${artifactId}-${createHash('sha256').update(targetKey(target)).digest('hex').slice(0, 24)}`;
}

/** An entry that an earlier run closed stays closed: this run has its own. */
const entryOf = (copyId: string): string => `${copyId}/${runId()}`;

const isIn =
  (target: Target) =>
  ({ image }: Artifact): boolean =>
    targetKey(image.target) === targetKey(target);

/** The same account first: a copy within it needs no share. */
function originalFor(artifacts: readonly Artifact[], target: Target): Artifact | undefined {
  const baked = artifacts.filter(
    ({ copiedFrom, image }) => copiedFrom === null && image.target.provider === target.provider,
  );
  return baked.find(({ image }) => image.target.account === target.account) ?? baked[0];
}

function artifactOf(version: Version, artifactId: string): Artifact {
  const found = version.builds.flatMap((build) => build.artifacts).find(({ id }) => id === artifactId);
  if (found !== undefined) return found;
  throw new Failure('not_found', `${version.bucket} ${version.name} has no artifact ${artifactId}`);
}

function distributionOf({ distribution, code }: ImageProvider) {
  if (distribution !== undefined) return distribution;
  throw new Failure(
    'unsupported',
    `${code} cannot copy images: bake in each place, or remove \`copy\` from its targets`,
  );
}
