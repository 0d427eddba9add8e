import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { openGates } from '../../src/domain/image-line.ts';
import type { BakeRequest, Version } from '../../src/domain/version.ts';
import { install, type Installation, type Part, processesNaming, until } from '../support/installation.ts';
import {
  attemptsOn,
  ended,
  expectNothingLeft,
  expectOneImage,
  expectStoreAsRecorded,
  imagesOf,
} from '../kill/clean-slate.ts';
import { apply, ask, by, project, realLine } from '../kill/lines.ts';
import { attemptOf, killMachine, theHost } from '../kill/machines.ts';
import { terminate } from '../kill/temporal.ts';

/** A bake of the example takes some twenty seconds where nothing else runs; other suites run beside it. */
const bakeLimitMs = 90_000;

let installation: Installation;
const dead: Part[] = [];

beforeAll(async () => {
  installation = await install({
    // A host that is only slow, because other suites bake too, must not count as lost: its time limit would be waited out.
    BAKEHOUSE_HOST_AWAY: '15s',
    BAKEHOUSE_PACKER_GRACE: '2s',
    BAKEHOUSE_HOST_MARGIN: '1s',
  });
  const channels = [{ name: 'dev', gates: { ...openGates, tested: true } }];
  const patient = await realLine({ channels });
  await apply(installation, patient, { ...patient, bucket: 'base-in-time', timeLimitMs: bakeLimitMs });
}, 120_000);
afterAll(() => installation.stop(), 60_000);
afterEach(() => expectNothingLeft(installation, dead), 120_000);

const qemus = (place: string) =>
  processesNaming(place).filter(
    // Not the one that Packer only asks for its version.
    ({ command }) => command.includes('qemu-system') && command.includes('-drive'),
  );
/** QEMU of a bake on that host. */
const bakingOn = ({ name }: Part) => qemus(path.join(installation.folder, name, '/'));
/** QEMU of a test launch. */
const launched = () => qemus(path.join(installation.images, 'launches', '/'));

async function untilBakes(host: Part, request: BakeRequest): Promise<void> {
  await until('QEMU bakes', () => bakingOn(host).length > 0, 120_000).catch(async (error: unknown) => {
    const { state, stage } = await installation.registry.requests.get(project, request.id);
    const logs = [installation.worker, host].map((part) => part.log().slice(-4_000)).join('\n');
    throw new Error(`the request is ${state}: ${stage}\n${logs}`, { cause: error });
  });
}

/** Baked, tested once and promoted; answers the version. */
async function expectReleased(request: BakeRequest): Promise<Version> {
  const { registry } = installation;
  const version = await expectOneImage(installation, await ended(installation, request, 300_000));
  expect(version.tested).toBe(true);
  const events = await registry.events.list(project, { versionId: version.id, limit: 1_000 });
  expect(events.filter(({ kind }) => kind === 'artifact.tested')).toHaveLength(1);
  const { effective } = await registry.channels.get(project, request.bucket, 'dev');
  expect(effective.versionId).toBe(version.id);
  expect(imagesOf(installation).filter((name) => name.startsWith(`${request.bucket}-0`))).toHaveLength(1);
  return version;
}

it('kill -9 on the same host, while the bake runs and while the test runs: the same Packer and the same machine go on', async () => {
  const { packer, worker } = installation;
  const host = theHost(installation);
  const request = await ask(installation, 'base', 'release');
  await untilBakes(host, request);
  const baking = bakingOn(host);
  const [pid] = packer.begun().map((one) => one.pid);

  await host.kill();
  // Looked at before the host is back: on a busy machine the bake may be over by then.
  expect(bakingOn(host)).toEqual(baking);
  expect(processesNaming(installation.folder).map((one) => one.pid)).toContain(pid);
  await host.startAgain();

  await until('the test machine runs', () => launched().length > 0, 180_000);
  const machines = launched();
  await Promise.all([host.kill(), worker.kill()]);
  expect(launched()).toEqual(machines);
  await Promise.all([host.startAgain(), worker.startAgain()]);

  await expectReleased(request);
  expect(packer.builds()).toBe(1);
  expect(launched()).toEqual([]);
}, 400_000);

it.each(['its request is cancelled', 'its workflow is terminated in Temporal'])(
  'a bake ends while QEMU runs, because %s: no QEMU, no Packer, no file is left',
  async (why) => {
    const { registry } = installation;
    const host = theHost(installation);
    const images = imagesOf(installation);
    const request = await ask(installation, 'base');
    await untilBakes(host, request);
    const { id } = await attemptOf(installation, request);
    expect(attemptsOn(installation, host)).toEqual([id]);

    if (why.includes('cancelled')) await registry.requests.cancel(project, request.id, by);
    else await terminate(installation, request.workflowId);

    const state = why.includes('cancelled') ? 'cancelled' : 'abandoned';
    expect(await ended(installation, request)).toMatchObject({ state });
    await expectNothingLeft(installation);
    expect(qemus(installation.folder)).toEqual([]);
    expect(await registry.ledger.listOpen()).toEqual([]);
    expect(imagesOf(installation)).toEqual(images);
    await expectStoreAsRecorded(installation);
    const { versionId } = await registry.requests.get(project, request.id);
    expect(await registry.versions.get(versionId ?? '')).toMatchObject({ state: 'cancelled', builds: [] });
  },
  240_000,
);

it('a machine is lost while it bakes, and another one while it tests: others bake and test once more', async () => {
  const { packer, registry } = installation;
  const builds = packer.builds();
  const first = theHost(installation);
  const request = await ask(installation, 'base-in-time', 'release');
  await untilBakes(first, request);
  const attempt = await attemptOf(installation, request);

  await killMachine(installation, first);
  dead.push(first);
  const second = await installation.addHost();

  await until('another host bakes', () => bakingOn(second).length > 0, bakeLimitMs + 60_000);
  expect(await registry.bakes.getAttempt(attempt.id)).toMatchObject({ state: 'lost' });
  expect(packer.begun().at(-1)?.at).toBeGreaterThan(Date.parse(attempt.deadline));

  await until('the test machine runs', () => launched().length > 0, 180_000);
  await killMachine(installation, second);
  dead.push(second);
  await installation.addHost();

  await expectReleased(request);
  expect(packer.builds() - builds).toBe(2);
  expect(launched()).toEqual([]);
}, 600_000);
