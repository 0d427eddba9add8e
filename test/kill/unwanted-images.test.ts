/** A bake is cancelled or terminated when its image is finished: nobody will use it, so it goes, however far it had come. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { BakeRequest, Version } from '../../src/domain/version.ts';
import { install, type Installation, until } from '../support/installation.ts';
import { ended, expectNothingLeft, expectOneImage, imagesOf } from './clean-slate.ts';
import { apply, ask, by, project, slowLine } from './lines.ts';
import { terminate } from './temporal.ts';

let installation: Installation;

beforeAll(async () => {
  installation = await install();
  await apply(installation, await slowLine(1));
}, 120_000);
afterAll(() => installation.stop(), 60_000);
afterEach(() => expectNothingLeft(installation), 120_000);

async function versionOf({ id }: BakeRequest): Promise<Version | undefined> {
  const { versionId } = await installation.registry.requests.get(project, id);
  return versionId === null ? undefined : installation.registry.versions.get(versionId);
}

/** The moments that are waited for are over within milliseconds. */
async function atOnce(what: string, isThere: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await isThere())) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await sleep(5);
  }
}

const isRecorded = async (request: BakeRequest) =>
  (await versionOf(request))?.builds.some(({ state }) => state === 'done') ?? false;

async function expectGone(before: readonly string[], request: BakeRequest): Promise<void> {
  await until('the image is gone', () => imagesOf(installation).length === before.length, 60_000);
  expect(imagesOf(installation)).toEqual(before);
  const version = await versionOf(request);
  expect(version).toMatchObject({ state: 'cancelled' });
  const recorded = version?.builds.flatMap(({ artifacts }) => artifacts) ?? [];
  await until('each has its receipt', async () => {
    const receipts = await installation.registry.enforcement.receipts(project, {
      versionId: version?.id ?? '',
    });
    return receipts.filter(({ action }) => action === 'delete').length === recorded.length;
  });
}

it('terminated when the image is recorded and the version is not complete yet', async () => {
  const before = imagesOf(installation);
  const request = await ask(installation, 'slow', 'bake', 'recorded');
  await atOnce('the image is recorded', () => isRecorded(request));
  await installation.worker.kill();
  expect(await versionOf(request)).toMatchObject({ state: 'running' });
  await terminate(installation, request.workflowId);
  await installation.worker.startAgain();
  expect(await ended(installation, request)).toMatchObject({ state: 'abandoned' });
  await expectGone(before, request);

  const again = await ask(installation, 'slow', 'bake', 'recorded');
  await expectOneImage(installation, await ended(installation, again));
}, 240_000);

it('terminated when the image is in the store and not recorded, its host dead', async () => {
  const before = imagesOf(installation);
  const request = await ask(installation, 'slow', 'bake');
  await atOnce('the image is in the store', () => imagesOf(installation).length > before.length);
  await Promise.all(installation.hosts.map((host) => host.kill()));
  expect(await isRecorded(request)).toBe(false);
  await terminate(installation, request.workflowId);
  expect(await ended(installation, request)).toMatchObject({ state: 'abandoned' });
  await Promise.all(installation.hosts.map((host) => host.startAgain()));
  await expectGone(before, request);
}, 240_000);

it('cancelled when the image is recorded and the version is not complete yet', async () => {
  const before = imagesOf(installation);
  const request = await ask(installation, 'slow', 'bake');
  await atOnce('the image is recorded', () => isRecorded(request));
  await installation.worker.kill();
  await installation.registry.requests.cancel(project, request.id, by);
  expect(await versionOf(request)).toMatchObject({ state: 'running' });
  // The cancellation waits in the outbox of the server until Temporal has it; the worker comes back after that.
  await sleep(2_000);
  await installation.worker.startAgain();
  expect(await ended(installation, request)).toMatchObject({ state: 'cancelled' });
  await expectGone(before, request);
}, 240_000);
