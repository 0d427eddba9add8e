/** Has the machine booted: its console says so, and it accepts a command. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';
import type { MachineStatus } from '../provider.ts';
import { hostKeysOn, lastLines, readConsole } from './console.ts';
import { readJson, writeJson } from './files.ts';
import { askGuest, type GuestAddress } from './guest.ts';
import type { BootRecord, LaunchRecord } from './launch-record.ts';
import type { SupervisedState } from './supervise.ts';

/** How long one look waits for the machine, so that a caller who asks again and again learns of it at once. */
const lookMs = 2_000;
const glanceMs = 100;
/** An image that prints nothing we know is asked over SSH from then on. */
const silentMs = 15_000;
/** QEMU accepts a connection before the guest does and then waits for seconds: better to try again soon. */
const connectMs = 1_500;

/** Throws `test_failed`, with the last lines of the console, once the boot time-out has passed. */
export async function bootStatus(
  folder: string,
  record: LaunchRecord,
  state: SupervisedState,
  address: GuestAddress | undefined,
): Promise<MachineStatus> {
  const booted = await readJson<BootRecord>(join(folder, 'booted.json'));
  const known = booted === undefined ? {} : { bootMs: booted.bootMs };
  if (state.kind === 'finished' || state.kind === 'lost') return { state: 'stopped', ...known };
  if (booted !== undefined) return { state: 'booted', ...known };
  if (state.kind === 'absent' || state.started === undefined || address === undefined)
    return { state: 'starting' };
  const startedAt = Date.parse(state.started.startedAt);
  const answer = await look(folder, record, address, startedAt);
  if (answer !== undefined) {
    const boot: BootRecord = { bootMs: answer.at - startedAt, hostKey: answer.hostKey };
    await writeJson(join(folder, 'booted.json'), boot);
    return { state: 'booted', bootMs: boot.bootMs };
  }
  if (Date.now() - startedAt > record.settings.bootTimeoutMs) throw await neverBooted(folder, record);
  return { state: 'starting' };
}

async function look(
  folder: string,
  record: LaunchRecord,
  address: GuestAddress,
  startedAt: number,
): Promise<{ at: number; hostKey: string } | undefined> {
  const until = performance.now() + lookMs;
  do {
    const console = await readConsole(folder);
    const hostKeys = hostKeysOn(console);
    if (isReady(console, hostKeys, record, Date.now() - startedAt)) {
      const ask = {
        command: 'true',
        timeoutMs: 2 * connectMs,
        connectMs,
        signal: AbortSignal.timeout(4 * connectMs),
      };
      const answer = await askGuest({ ...address, hostKeys }, ask);
      if (answer.kind === 'answered' && answer.result.exitCode === 0)
        return { at: Date.now(), hostKey: answer.hostKey };
    }
    await delay(glanceMs);
  } while (performance.now() < until);
  return undefined;
}

function isReady(
  console: string,
  hostKeys: readonly string[],
  { settings }: LaunchRecord,
  ageMs: number,
): boolean {
  if (settings.readyMarker !== undefined) return new RegExp(settings.readyMarker, 'm').test(console);
  return hostKeys.length > 0 || ageMs > silentMs;
}

const nothingOnConsole =
  '(nothing: there is no boot loader on its disk, its kernel does not write to ttyS0, or the time was too short)';

async function neverBooted(folder: string, record: LaunchRecord): Promise<Failure> {
  const { bootTimeoutMs, readyMarker, user } = record.settings;
  const console = lastLines(await readConsole(folder), 10) || nothingOnConsole;
  const marker = readyMarker === undefined ? '' : ` after showing /${readyMarker}/ on its console`;
  return new Failure(
    'test_failed',
    `qemu: the machine of image ${record.imageId} did not let ${user} in over SSH${marker} within ${bootTimeoutMs} ms (launch.bootTimeoutMs). Its console ends with:\n${console}`,
    { details: { launchId: record.launchId, imageId: record.imageId } },
  );
}
