import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BakeRequest } from '../../src/domain/version.ts';
import { install, type Installation, type Part, processesNaming, until } from '../support/installation.ts';
import { attemptsOn, ended, expectNothingLeft, expectOneImage, imagesOf } from './clean-slate.ts';
import { holdBucket } from './hold-up.ts';
import { apply, ask, slowLine } from './lines.ts';
import { attemptOf, forgotten, killMachine, theHost } from './machines.ts';

let installation: Installation;
let living: Part;
const dead: Part[] = [];

beforeAll(async () => {
  installation = await install({
    BAKEHOUSE_HOST_AWAY: '3s',
    BAKEHOUSE_HEARTBEAT_TIMEOUT: '3s',
    BAKEHOUSE_PACKER_GRACE: '1s',
    BAKEHOUSE_HOST_MARGIN: '1s',
  });
  await apply(installation, await slowLine(1, { timeLimitMs: 15_000 }));
  living = theHost(installation);
}, 120_000);
afterAll(() => installation.stop(), 60_000);
beforeEach(() => forgotten(installation, dead), 60_000);
afterEach(async () => {
  for (const point of ['validate', 'build', 'built'] as const) installation.packer.release(point);
  await expectNothingLeft(installation, dead);
}, 90_000);

/** The living host dies, with its machine or alone, and stays dead; another one is started. */
async function replaceHost(what: 'machine' | 'process', between?: () => void): Promise<Part> {
  const gone = living;
  if (what === 'machine') await killMachine(installation, gone);
  else await gone.kill();
  dead.push(gone);
  between?.();
  living = await installation.addHost();
  return gone;
}

async function finish(request: BakeRequest, buildsBefore: number, builds: number): Promise<void> {
  await expectOneImage(installation, await ended(installation, request));
  expect(installation.packer.builds() - buildsBefore).toBe(builds);
  // Losers have left nothing in the store.
  const versions = await installation.registry.versions.list(request.project, 'slow');
  const complete = versions.filter(({ state }) => state === 'complete');
  expect(imagesOf(installation).filter((name) => name.startsWith('slow-'))).toHaveLength(complete.length);
}

describe('a bake host is gone for good, with its machine', () => {
  it('before Packer starts: another one bakes, once', async () => {
    const { packer } = installation;
    const before = packer.builds();
    packer.hold('validate');
    const request = await ask(installation, 'slow');
    await until('the template check waits', () => packer.reached('validate'));

    // Released before another host starts: it validates a template itself, to see what its Packer can.
    await replaceHost('machine', () => packer.release('validate'));

    await finish(request, before, 1);
  }, 120_000);

  it('between the spawn of Packer and its record: another one bakes once more', async () => {
    const { packer } = installation;
    const before = packer.builds();
    packer.hold('build');
    packer.killSupervisor();
    const request = await ask(installation, 'slow');
    await until('Packer was spawned and its supervisor is dead', () => packer.reached('build'));

    await replaceHost('machine');
    packer.release('build');

    await finish(request, before, 2);
  }, 120_000);

  it('while Packer runs: another one bakes once more, after the time limit of the first', async () => {
    const { packer, registry } = installation;
    const before = packer.builds();
    packer.hold('build');
    const request = await ask(installation, 'slow');
    await until('Packer runs', () => packer.reached('build'));
    const first = await attemptOf(installation, request);

    await replaceHost('machine');
    packer.release('build');

    await finish(request, before, 2);
    expect(await registry.bakes.getAttempt(first.id)).toMatchObject({ state: 'lost' });
    expect(packer.begun().at(-1)?.at).toBeGreaterThan(Date.parse(first.deadline));
  }, 120_000);

  it('after the image is made, before it is in the store: another one bakes once more', async () => {
    const { packer } = installation;
    const before = packer.builds();
    packer.hold('built');
    const request = await ask(installation, 'slow');
    await until('the image is made', () => packer.reached('built'));

    await replaceHost('machine');
    packer.release('built');

    await finish(request, before, 2);
  }, 120_000);

  it('after the image is in the store, before it is recorded: it is adopted, and nothing is baked again', async () => {
    const { packer } = installation;
    const before = packer.builds();
    const request = await ask(installation, 'slow');
    await until('Packer runs', () => packer.builds() > before);
    const letGo = await holdBucket(installation, 'slow');
    const { imageName } = await attemptOf(installation, request);
    await until('the image is in the store', () => imagesOf(installation).includes(imageName));

    await replaceHost('machine');
    await letGo();

    await finish(request, before, 1);
    const { versionId } = await installation.registry.requests.get(request.project, request.id);
    const { builds } = await installation.registry.versions.get(versionId ?? '');
    expect(builds[0]?.artifacts[0]?.image.imageId).toBe(imageName);
  }, 120_000);
});

describe('a bake host is gone, and its Packer goes on', () => {
  it('Packer is ended by its time limit before another host bakes, its late result is refused, and the host sweeps when it is back', async () => {
    const { packer, registry } = installation;
    const before = packer.builds();
    packer.hold('build');
    const request = await ask(installation, 'slow');
    await until('Packer runs', () => packer.reached('build'));
    const first = await attemptOf(installation, request);

    const run = path.join(installation.folder, living.name, 'host/attempts', first.id, 'run');
    // Looked at before another host starts: on a busy machine its time may be over by then.
    const gone = await replaceHost('process', () => expect(processesNaming(run)).not.toEqual([]));
    await until('its time limit has ended it', () => existsSync(path.join(run, 'status.json')), 30_000);
    packer.release('build');

    await finish(request, before, 2);
    expect(processesNaming(run)).toEqual([]);
    const status: { endedBy: string; endedAt: string } = JSON.parse(
      readFileSync(path.join(run, 'status.json'), 'utf8'),
    );
    expect(status.endedBy).toBe('time limit');
    expect(packer.begun().at(-1)?.at).toBeGreaterThan(Date.parse(status.endedAt));
    const image = {
      target: { provider: 'qemu', account: 'local', region: 'local' },
      imageId: first.imageName,
    };
    await expect(
      registry.bakes.recordBuilds(first.id, [{ source: 'file.slow', state: 'done', images: [image] }]),
    ).rejects.toMatchObject({ code: 'conflict' });

    await comesBack(gone);
  }, 120_000);

  it('Packer finishes by itself: its image is never one, and the host sweeps it when it is back', async () => {
    const { packer } = installation;
    const before = packer.builds();
    packer.hold('build');
    const request = await ask(installation, 'slow');
    await until('Packer runs', () => packer.reached('build'));
    const first = await attemptOf(installation, request);

    // Before another host starts: on a busy machine its time may be over by then.
    const gone = await replaceHost('process', () => packer.release('build'));
    const run = path.join(installation.folder, gone.name, 'host/attempts', first.id, 'run');
    await until('Packer has finished', () => existsSync(path.join(run, 'status.json')), 30_000);

    await finish(request, before, 2);
    expect(JSON.parse(readFileSync(path.join(run, 'status.json'), 'utf8'))).toMatchObject({
      endedBy: 'itself',
      exitCode: 0,
    });
    expect(imagesOf(installation)).not.toContain(first.imageName);

    await comesBack(gone);
  }, 120_000);
});

/** The lost host is started again, and removes what it has; then it is gone again. */
async function comesBack(gone: Part): Promise<void> {
  const images = imagesOf(installation);
  expect(attemptsOn(installation, gone)).toHaveLength(1);
  await gone.startAgain();
  await until(`${gone.name} has swept its folder`, () => attemptsOn(installation, gone).length === 0, 20_000);
  expect(imagesOf(installation)).toEqual(images);
  await gone.kill();
}
