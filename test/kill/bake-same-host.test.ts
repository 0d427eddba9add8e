import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BakeRequest } from '../../src/domain/version.ts';
import { install, type Installation, type Part, until } from '../support/installation.ts';
import { ended, expectNothingLeft, expectOneImage, imagesOf } from './clean-slate.ts';
import { holdBucket, isSomebodyHeldUp } from './hold-up.ts';
import { apply, ask, slowLine } from './lines.ts';
import { attemptOf } from './machines.ts';

let installation: Installation;

beforeAll(async () => {
  installation = await install();
  await apply(installation, await slowLine(3));
}, 120_000);
afterAll(() => installation.stop(), 60_000);
afterEach(async () => {
  for (const point of ['validate', 'build', 'built'] as const) installation.packer.release(point);
  await expectNothingLeft(installation);
}, 90_000);

const victims = {
  worker: () => [installation.worker],
  'bake host': () => [...installation.hosts],
  'worker and bake host': () => [installation.worker, ...installation.hosts],
} as const satisfies Record<string, () => readonly Part[]>;

async function killAndRestart(
  victim: keyof typeof victims,
  between?: () => Promise<void> | void,
): Promise<void> {
  const parts = victims[victim]();
  await Promise.all(parts.map((part) => part.kill()));
  await between?.();
  await Promise.all(parts.map((part) => part.startAgain()));
}

async function finish(request: BakeRequest, buildsBefore: number): Promise<void> {
  await expectOneImage(installation, await ended(installation, request));
  expect(installation.packer.builds() - buildsBefore).toBe(1);
}

describe.each(['worker', 'bake host', 'worker and bake host'] as const)('kill -9 of the %s', (victim) => {
  it('before Packer starts: the bake completes with one image', async () => {
    const { packer } = installation;
    const before = packer.builds();
    packer.hold('validate');
    const request = await ask(installation, 'slow');
    await until('the template check waits', () => packer.reached('validate'));

    await killAndRestart(victim, () => packer.release('validate'));

    await finish(request, before);
  }, 120_000);

  it('while Packer runs: the same Packer process finishes the bake', async () => {
    const { packer } = installation;
    const before = packer.builds();
    const request = await ask(installation, 'slow');
    await until('Packer runs', () => packer.builds() > before);

    await killAndRestart(victim);

    await finish(request, before);
  }, 120_000);

  it('after the image is made and before it is in the store: it is stored and recorded once', async () => {
    const { packer } = installation;
    const before = packer.builds();
    packer.hold('built');
    const request = await ask(installation, 'slow');
    await until('the image is made', () => packer.reached('built'));

    await killAndRestart(victim, () => packer.release('built'));

    await finish(request, before);
  }, 120_000);

  it('after the image is in the store and before it is recorded: it is recorded once', async () => {
    const { packer, registry } = installation;
    const before = packer.builds();
    packer.hold('build');
    const request = await ask(installation, 'slow');
    await until('Packer runs', () => packer.reached('build'));
    const { imageName } = await attemptOf(installation, request);
    const letGo = await holdBucket(installation, 'slow');
    packer.release('build');
    await until('the image is in the store', () => imagesOf(installation).includes(imageName), 60_000);
    await until('its record waits', () => isSomebodyHeldUp(installation));

    await killAndRestart(victim, letGo);

    await finish(request, before);
    const { versionId } = await registry.requests.get(request.project, request.id);
    const { builds } = await registry.versions.get(versionId ?? '');
    expect(builds.flatMap(({ artifacts }) => artifacts.map(({ image }) => image.imageId))).toEqual([
      imageName,
    ]);
  }, 120_000);
});

describe.each(['worker', 'bake host', 'worker and bake host'] as const)('kill -9 of the %s', (victim) => {
  it('between the spawn of Packer and its record: one more Packer at most, and one image', async () => {
    const { packer } = installation;
    const before = packer.builds();
    packer.hold('build');
    packer.killSupervisor();
    const request = await ask(installation, 'slow');
    await until('Packer was spawned and its supervisor is dead', () => packer.reached('build'));

    await killAndRestart(victim, () => packer.release('build'));

    await expectOneImage(installation, await ended(installation, request));
    // The one that was spawned without a record, where it got so far, and the one that made the image.
    expect(packer.builds() - before).toBeLessThanOrEqual(2);
  }, 120_000);
});
