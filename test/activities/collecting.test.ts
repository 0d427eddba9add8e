import { expect, it } from 'vitest';
import { collectSource } from '../../src/activities/collecting.ts';
import { Failure } from '../../src/domain/failure.ts';
import { openGates } from '../../src/domain/image-line.ts';
import { FakeCloud, place } from '../support/bake/cloud.ts';

it('the images of a source that fails at a later artifact are removed: nobody would know of them', async () => {
  const { images: stored, provider, providers } = new FakeCloud();
  const collect = provider.images.collect.bind(provider.images);
  let collected = 0;
  provider.images.collect = async (...args) => {
    if (++collected > 1) throw new Failure('bake_failed', 'its format is raw');
    return collect(...args);
  };
  const artifact = { source: 'qemu.base', builderType: 'qemu', artifactId: 'a', files: ['/disk'] };
  const line = {
    bucket: 'base',
    description: '',
    template: { kind: 'folder', path: 't', entry: '.', digest: 'sha256:t' },
    sources: [],
    variables: {},
    parents: [],
    targets: [{ ...place, launch: {} }],
    tests: [],
    channels: [{ name: 'dev', gates: openGates }],
    timeLimitMs: 1,
    endOfLifeCascades: false,
  } as const;
  const record = await collectSource({
    attemptId: 'attempt',
    mark: { bakeId: 'bake', attemptId: 'attempt', imageName: 'base-1' },
    requestId: 'request',
    attempt: 1,
    project: 'default',
    fingerprint: 'fp',
    deadline: '',
    pins: {
      line,
      parents: [],
      variables: {},
      template: { kind: 'snapshot', digest: 'sha256:t', entry: '.' },
    },
    targets: line.targets,
    source: { source: 'qemu.base', state: 'done', artifacts: [artifact, artifact] },
    isOneOfMany: false,
    providers,
    bakes: { isCurrent: async () => true },
    context: { signal: new AbortController().signal, beat: () => undefined },
  });
  expect(collected).toBe(2);
  expect(record).toMatchObject({ state: 'failed', failure: { message: 'qemu.base: its format is raw' } });
  expect([...stored.keys()]).toEqual([]);
});
