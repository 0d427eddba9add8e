import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { BakeRequest } from '../../src/domain/version.ts';
import { install, type Installation, type Part, processesNaming, until } from '../support/installation.ts';
import { ended, expectNothingLeft, expectOneImage } from './clean-slate.ts';
import { apply, ask, by, slowLine } from './lines.ts';
import { latestRun, pausedActivities, pendingActivity, temporalCommand } from './temporal.ts';

let installation: Installation;

/** Longer than the heartbeat time-out of this installation: whatever interrupts for so long has been noticed. */
const longEnoughMs = 7_000;

beforeAll(async () => {
  installation = await install({ BAKEHOUSE_STOP_AFTER: '3s' });
  await apply(installation, await slowLine(1));
}, 120_000);
afterAll(() => installation.stop(), 60_000);
afterEach(async () => {
  installation.packer.release('build');
  await expectNothingLeft(installation);
}, 90_000);

interface Running {
  readonly request: BakeRequest;
  readonly pid: number;
  readonly builds: number;
}

/** A bake whose Packer runs until it is released. */
async function runningBake(): Promise<Running> {
  const { packer } = installation;
  const builds = packer.builds();
  packer.hold('build');
  const request = await ask(installation, 'slow');
  await until('Packer runs', () => packer.reached('build'));
  const pid = packer.begun().at(-1)?.pid ?? 0;
  expect(isAlive(pid)).toBe(true);
  await pendingActivity(installation, request.workflowId, 'runPacker');
  return { request, pid, builds };
}

/** The Packer that ran before still runs, and it is the one that finishes the bake. */
async function samePackerFinishes({ request, pid, builds }: Running): Promise<void> {
  expect(isAlive(pid)).toBe(true);
  installation.packer.release('build');
  await expectOneImage(installation, await ended(installation, request));
  expect(installation.packer.builds() - builds).toBe(1);
}

const isAlive = (pid: number): boolean =>
  processesNaming(installation.folder).some((process) => process.pid === pid);

it('an outage of the Temporal server does not end Packer', async () => {
  const running = await runningBake();
  await installation.temporal.kill();
  await sleep(longEnoughMs);
  expect(isAlive(running.pid)).toBe(true);
  await installation.temporal.startAgain();
  await samePackerFinishes(running);
}, 120_000);

it('an outage of the Temporal server in which Packer ends does not lose its image', async () => {
  const { packer } = installation;
  const running = await runningBake();
  await installation.temporal.kill();
  packer.release('build');
  await until('Packer has ended', () => !isAlive(running.pid));
  await sleep(longEnoughMs);
  await installation.temporal.startAgain();
  await expectOneImage(installation, await ended(installation, running.request));
  expect(packer.builds() - running.builds).toBe(1);
}, 120_000);

it('a pause of its step does not end Packer', async () => {
  const running = await runningBake();
  const { workflowId } = running.request;
  const activityId = await pendingActivity(installation, workflowId, 'runPacker');
  const step = ['--workflow-id', workflowId, '--activity-id', activityId];
  await temporalCommand(installation, 'activity', 'pause', ...step);
  await sleep(longEnoughMs);
  expect(isAlive(running.pid)).toBe(true);
  expect(await pausedActivities(installation, workflowId)).toEqual([activityId]);
  await temporalCommand(installation, 'activity', 'unpause', ...step);
  await samePackerFinishes(running);
}, 120_000);

it('a reset of its step does not end Packer', async () => {
  const running = await runningBake();
  const { workflowId } = running.request;
  const activityId = await pendingActivity(installation, workflowId, 'runPacker');
  const step = ['--workflow-id', workflowId, '--activity-id', activityId];
  await temporalCommand(installation, 'activity', 'reset', ...step);
  await sleep(longEnoughMs);
  await samePackerFinishes(running);
}, 120_000);

it('a reset of its workflow does not end Packer', async () => {
  const running = await runningBake();
  const { workflowId } = running.request;
  const run = ['--workflow-id', workflowId, '--run-id', await latestRun(installation, workflowId)];
  const how = ['--type', 'LastWorkflowTask', '--reason', 'a person wants to'];
  await temporalCommand(installation, 'workflow', 'reset', ...run, ...how);
  await sleep(longEnoughMs);
  await samePackerFinishes(running);
}, 120_000);

it.each(['worker', 'bake host', 'server'] as const)(
  'a shutdown of the %s does not end Packer',
  async (name) => {
    const running = await runningBake();
    const { worker, server, hosts } = installation;
    const part = { worker, server, 'bake host': hosts[0] ?? worker }[name];
    await endsInOrder(part);
    expect(isAlive(running.pid)).toBe(true);
    await part.startAgain();
    await samePackerFinishes(running);
  },
  120_000,
);

async function endsInOrder(part: Part): Promise<void> {
  process.kill(part.pid, 'SIGTERM');
  await until(`${part.name} has ended`, () => !isAlive(part.pid), 20_000);
}

it('a cancellation that was asked for ends Packer within seconds, and nothing is left', async () => {
  const { registry } = installation;
  const { request, pid } = await runningBake();
  const askedAt = performance.now();
  await registry.requests.cancel(request.project, request.id, by);
  await until('Packer has ended', () => !isAlive(pid), 15_000);
  expect(performance.now() - askedAt).toBeLessThan(10_000);
  expect(await ended(installation, request)).toMatchObject({ state: 'cancelled' });
  const { versionId } = await registry.requests.get(request.project, request.id);
  expect(await registry.versions.get(versionId ?? '')).toMatchObject({ state: 'cancelled' });
}, 120_000);
