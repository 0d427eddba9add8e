/** A command is run once for its run id, however often it is asked for; without one, each time. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CallContext, Machine } from '../../src/providers/provider.ts';
import { home, openAws, openProvider, place, type AwsFixture } from './aws-fixture.ts';

const fresh: CallContext = { signal: AbortSignal.timeout(300_000), beat: () => undefined };
/** Of a try after one that was lost. */
const again: CallContext = { ...fresh, lastBeat: { phase: 'command' } };

let fixture: AwsFixture;
let machine: Machine;
beforeAll(async () => {
  fixture = await openAws();
  const image = { target: place(), imageId: await fixture.cloud.baseImage(home) };
  const input = { launchId: 'runs', image, settings: fixture.settings, timeLimitMs: 3_600_000 };
  machine = await fixture.provider.machines.launch(input, fresh);
  while ((await fixture.provider.machines.status(machine)).state === 'starting') await delay(30);
});
afterAll(() => fixture.dispose());

const run = (command: string, context: CallContext, runId?: string) =>
  openProvider(fixture.cloud).provider.machines.run(machine, command, 20_000, context, runId);
const counting = (name: string) => `echo x >>/tmp/${name}; sleep 1; wc -l </tmp/${name}`;
const sent = async () =>
  (await fixture.cloud.calls()).filter(
    ({ action, answer }) => action === 'SendCommand' && answer !== 'throttled',
  ).length;

it('is found by another process while it runs, and when it has ended', async () => {
  const before = await sent();
  const first = run(counting('one'), fresh, 'run-1');
  await expect.poll(sent).toBe(before + 1);
  const second = run(counting('one'), again, 'run-1');

  expect((await first).stdout.trim()).toBe('1');
  expect(await second).toEqual(await first);
  expect(await run(counting('one'), again, 'run-1')).toEqual(await first);
  expect(await sent()).toBe(before + 1);
  expect((await run(counting('one'), fresh, 'run-2')).stdout.trim()).toBe('2');
  expect((await run(counting('one'), fresh)).stdout.trim()).toBe('3');
}, 60_000);

it('is found when it was sent and the answer was lost, though it is not listed at once', async () => {
  await fixture.cloud.setDelays({ visible: 150 });
  await fixture.cloud.fault({ action: 'SendCommand', answer: 'timeout-after-effect', times: 1 });
  await expect(run(counting('two'), fresh, 'run-3')).rejects.toMatchObject({ code: 'provider_unavailable' });

  expect((await run(counting('two'), again, 'run-3')).stdout.trim()).toBe('1');
  await fixture.cloud.setDelays({ visible: 30 });
}, 60_000);

it('answers what came in pieces in the same pieces again', async () => {
  const noise = 'head -c 60000 /dev/urandom | base64';
  const first = await run(noise, fresh, 'run-4');
  const commands = await sent();

  expect(first.stdout.length).toBe(64 * 1024);
  expect(await run(noise, again, 'run-4')).toEqual(first);
  expect(await sent()).toBe(commands);
}, 60_000);

it('is run again where the try before took it back, because it was ended itself', async () => {
  const stop = new AbortController();
  const before = await sent();
  const first = run('sleep 5; echo late', { ...fresh, signal: stop.signal }, 'run-5');
  await expect.poll(sent).toBe(before + 1);
  stop.abort(new Error('stop'));
  await expect(first).rejects.toThrow('stop');

  expect((await run('sleep 5; echo late', again, 'run-5')).stdout).toBe('late\n');
  expect(await sent()).toBe(before + 2);
}, 60_000);
