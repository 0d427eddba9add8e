/** What applying a line and a bake host do, by hand: lines, requests, attempts, and images that are finished in a test cloud. */
import { ulid } from 'ulid';
import type { ImageLine, LineTarget } from '../../../src/domain/image-line.ts';
import { templateDigest } from '../../../src/domain/template-digest.ts';
import type { BakeRequest, Version } from '../../../src/domain/version.ts';
import type { BakeMark, CallContext } from '../../../src/providers/provider.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import type { CloudPlaces } from './places.ts';

export const project = 'default';
export const by = { name: 'cloud test', via: 'api' } as const;
const context: CallContext = { signal: AbortSignal.timeout(600_000), beat: () => undefined };
const bounded = { timeLimitMs: 3_600_000, endOfLifeCascades: false } as const;

const stillCurrent = () => Promise.resolve(true);

export function seeding(
  registry: Registry,
  cloud: Pick<CloudPlaces, 'provider' | 'baked' | 'source' | 'artifact'>,
) {
  async function line(
    over: Partial<ImageLine> & { readonly targets: readonly LineTarget[] },
  ): Promise<string> {
    const bucket = `line-${ulid().slice(-12).toLowerCase()}`;
    const files = { 'image.pkr.hcl': new TextEncoder().encode('source "file" "one" {}') };
    const digest = await templateDigest(files);
    await registry.lines.putTemplate({ digest, files });
    const template = { kind: 'folder', path: 'images', entry: 'image.pkr.hcl', digest } as const;
    const plain = { description: '', sources: [cloud.source], variables: {}, parents: [], tests: [] };
    await registry.lines.apply(
      project,
      [{ bucket, template, channels: [], ...plain, ...bounded, ...over }],
      by,
    );
    return bucket;
  }

  /** A request of a release, and its attempt as far as Packer got: begun, or with an image that is finished in the cloud. */
  async function begin(bucket: string, timeLimitMs: number = bounded.timeLimitMs) {
    const { request } = await registry.requests.accept({
      project,
      bucket,
      kind: 'release',
      variables: {},
      by,
    });
    const { id: versionId } = await registry.bakes.openVersion(request.id, 1);
    const attemptId = ulid();
    await registry.ledger.open({
      id: attemptId,
      owner: attemptId,
      kind: 'packer',
      mark: attemptId,
      target: null,
    });
    const { bakeId, imageName } = await registry.bakes.openAttempt({
      attemptId,
      versionId,
      hostId: 'a host that is gone',
      timeLimitMs,
    });
    const mark: BakeMark = { bakeId, attemptId, imageName };
    return { request, versionId, mark };
  }

  async function collect(mark: BakeMark) {
    const artifact = await cloud.artifact(mark);
    return cloud.provider.images.collect({ mark, artifact, targets: [cloud.baked], stillCurrent }, context);
  }

  /** Baked, and nothing else; its release is about to begin. */
  async function bakeUntested(bucket: string): Promise<{ request: BakeRequest; version: Version }> {
    const { request, versionId, mark } = await begin(bucket);
    const images = await collect(mark);
    await registry.bakes.recordBuilds(mark.attemptId, [{ source: cloud.source, state: 'done', images }]);
    const version = await registry.bakes.completeVersion(versionId, by);
    await registry.bakes.closeAttempt(mark.attemptId, 'ended');
    await registry.ledger.closeOwner(mark.attemptId);
    return { request, version };
  }

  /** Baked and tested. */
  async function bake(bucket: string): Promise<{ request: BakeRequest; version: Version }> {
    const { request, version } = await bakeUntested(bucket);
    for (const { id: artifactId } of artifactsOf(version))
      await registry.bakes.recordTest({ id: ulid(), artifactId, passed: true, bootMs: 5, checks: [] });
    return { request, version };
  }

  return { line, begin, collect, bakeUntested, bake };
}

export const artifactsOf = (version: Version) => version.builds.flatMap(({ artifacts }) => artifacts);
