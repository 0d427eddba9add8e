import { place } from './cloud.ts';
import { BakeWorld } from './world.ts';

/** A world in which v1 is baked and complete, with one image. */
export function bakedWorld(): BakeWorld {
  const world = new BakeWorld();
  const { registry } = world;
  const request = registry.addRequest('bake', 'baked');
  Object.assign(registry.requestRows.get(request.id) ?? {}, { state: 'succeeded', versionId: 'v' });
  complete(world, request.id);
  registry.attemptRows.set('a', {
    id: 'a',
    versionId: 'v',
    requestAttempt: 1,
    bakeId: 'b',
    hostId: 'one',
    imageName: 'base-v',
    state: 'ended',
    deadline: '',
    createdAt: '',
    marks: ['PUBLIC-a'],
  });
  return world;
}

/** A world in which somebody else made v1, and `request-1` is to take it up. */
export function foreignWorld(): BakeWorld {
  const world = new BakeWorld();
  complete(world, 'request-1');
  world.registry.adopted = 'v';
  return world;
}

function complete({ registry, cloud }: BakeWorld, requestId: string): void {
  registry.versionRows.set('v', {
    id: 'v',
    project: 'default',
    bucket: 'base',
    fingerprint: 'fp',
    number: 1,
    name: 'v1',
    state: 'complete',
    failure: null,
    requestId,
    template: null,
    createdAt: '',
    completedAt: '',
    builds: [
      {
        id: 'build',
        source: 'qemu.base',
        state: 'done',
        failure: null,
        artifacts: [
          {
            id: 'artifact',
            image: { target: place, imageId: 'base-v' },
            digest: 'sha256:base',
            sizeBytes: 1,
            lastKnown: 'unknown',
            test: null,
            copiedFrom: null,
          },
        ],
      },
    ],
    parents: [],
    tested: false,
    verified: false,
    revocation: { state: 'none', at: null, reason: null, recordId: null, inheritedFrom: null },
  });
  cloud.images.set('base-v', {
    bakeId: 'b',
    attemptId: 'a',
    source: 'qemu.base',
    digest: 'sha256:base',
    disk: '',
  });
}
