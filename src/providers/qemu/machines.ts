/** Machines: an overlay on an image, a NoCloud disk with a key of their own, and QEMU in the care of a supervisor. */
import { access, constants, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';
import type { Target } from '../../domain/target.ts';
import type { CommandResult, Machine, Machines, MachineStatus } from '../provider.ts';
import { bootStatus } from './boot-status.ts';
import { hostKeysOn, readConsole } from './console.ts';
import { explainQemuExit, hasCode, toolMissing, translated } from './errors.ts';
import { readJson, writeWhole } from './files.ts';
import { askGuest, type GuestAddress } from './guest.ts';
import type { BootRecord, LaunchRecord } from './launch-record.ts';
import { prepareLaunch } from './prepare-launch.ts';
import { qemuArguments } from './qemu-command.ts';
import { forwardedSshPort } from './qmp.ts';
import { exists, fileName, type Store } from './store.ts';
import type { Supervise, SupervisedState } from './supervise.ts';
import type { QemuTools } from './tools.ts';

/** QEMU has nothing to tidy up: its overlay is thrown away. */
const graceMs = 2_000;
const monitorMs = 20_000;
const connectMs = 10_000;
const beatEveryMs = 5_000;

export function machines(store: Store, tools: QemuTools, supervise: Supervise): Machines {
  const home = (launchId: string): string => store.path('launches', fileName(launchId));
  const run = (launchId: string): string => join(home(launchId), 'run');

  async function end(launchId: string): Promise<void> {
    await supervise.end(run(launchId), { graceMs });
    await store.discard(home(launchId));
  }

  async function program(): Promise<string> {
    const file = tools.qemuSystem?.path;
    if (file === undefined) throw toolMissing('qemuSystem');
    await access(file, constants.X_OK).catch(() => {
      throw toolMissing('qemuSystem');
    });
    return file;
  }

  async function powerOn(file: string, record: LaunchRecord): Promise<SupervisedState> {
    return supervise.start(run(record.launchId), {
      file,
      args: qemuArguments(fileName(record.launchId), record.settings),
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      cwd: home(record.launchId),
      timeLimitMs: record.timeLimitMs,
      graceMs,
      stdout: 'stdout.log',
      stderr: 'stderr.log',
    });
  }

  /** The port QEMU took; undefined once it has ended. */
  async function sshPort(launchId: string): Promise<number | undefined> {
    const giveUpAt = performance.now() + monitorMs;
    for (;;) {
      const port = await forwardedSshPort(home(launchId));
      if (port !== undefined) return port;
      const { kind } = await supervise.state(run(launchId));
      if (kind !== 'running') return undefined;
      if (performance.now() > giveUpAt) {
        throw new Failure(
          'provider_unavailable',
          `qemu: launch ${launchId}: QEMU runs and its monitor does not answer`,
        );
      }
      await delay(50);
    }
  }

  async function address(machine: Machine): Promise<GuestAddress | undefined> {
    const folder = home(machine.launchId);
    const port = machine.handle['port'];
    const user = machine.handle['user'];
    if (typeof port !== 'number' || typeof user !== 'string') return undefined;
    const pinned = await readJson<BootRecord>(join(folder, 'booted.json'));
    const printed = hostKeysOn(await readConsole(folder));
    const hostKeys = printed.length > 0 || pinned === undefined ? printed : [pinned.hostKey];
    try {
      return { port, user, hostKeys, privateKey: await readFile(join(folder, 'ssh_key'), 'utf8') };
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  return {
    async launch(input, context) {
      const { launchId, image } = input;
      return translated(`cannot launch ${image.imageId}`, store.folder, async () => {
        const file = await program();
        const record = await prepareLaunch(store, tools, input, context.signal);
        await powerOn(file, record);
        if (await exists(store.path('ended', fileName(launchId)))) {
          await end(launchId);
          throw new Failure(
            'illegal_state',
            `qemu: launch ${launchId} was ended: launch again under a new id`,
          );
        }
        context.beat({ phase: 'power on' });
        const port = await sshPort(launchId);
        if (port === undefined) await explainEnd(launchId);
        const { user } = record.settings;
        return {
          launchId,
          target: image.target,
          machineId: fileName(launchId),
          shell: 'posix',
          handle: port === undefined ? { user } : { user, port },
        };
      });
    },

    async status(machine): Promise<MachineStatus> {
      const { launchId } = machine;
      const record = await readJson<LaunchRecord>(join(home(launchId), 'launch.json'));
      if (record === undefined) return { state: 'missing' };
      const state = await supervise.state(run(launchId));
      const to = await address(machine);
      return bootStatus(home(launchId), record, state, to);
    },

    async run(machine, command, timeoutMs, context): Promise<CommandResult> {
      const to = await address(machine);
      if (to === undefined) {
        throw new Failure(
          'illegal_state',
          `qemu: machine ${machine.launchId} is not there: it was terminated or its host was lost`,
        );
      }
      const beating = setInterval(() => context.beat({ phase: 'command' }), beatEveryMs);
      try {
        const answer = await askGuest(to, { command, timeoutMs, connectMs, signal: context.signal });
        if (answer.kind === 'answered') return answer.result;
        if (answer.kind === 'timed out') {
          throw new Failure(
            'test_failed',
            `qemu: machine ${machine.launchId}: the command did not end within ${timeoutMs} ms: ${command}`,
          );
        }
        const { kind } = await supervise.state(run(machine.launchId));
        if (kind !== 'running') {
          throw new Failure(
            'test_failed',
            `qemu: machine ${machine.launchId} stopped before or during the command: ${command}`,
          );
        }
        throw new Failure(
          'provider_unavailable',
          `qemu: machine ${machine.launchId} does not accept commands: ${answer.why}`,
        );
      } finally {
        clearInterval(beating);
      }
    },

    console: ({ launchId }) => readConsole(home(launchId)),

    async terminate(launchId: string, _target: Target): Promise<void> {
      await translated(`cannot terminate ${launchId}`, store.folder, async () => {
        await store.prepare();
        // First: from here on a `launch` that is still under way ends what it starts.
        await writeWhole(store.path('ended', fileName(launchId)), '', 0o600);
        await end(launchId);
        for (const work of await store.workOf(launchId)) await store.discard(work);
        await store.forgetEnded();
      });
    },
  };

  async function explainEnd(launchId: string): Promise<void> {
    const state = await supervise.state(run(launchId));
    if (state.kind !== 'finished') return;
    const stderr = await readFile(join(run(launchId), 'stderr.log'), 'utf8').catch(() => '');
    // An end that somebody asked for, or the time limit's, is a state and no error.
    if (
      state.status.endedBy === 'itself' &&
      (state.status.exitCode !== 0 || state.status.error !== undefined)
    ) {
      throw explainQemuExit(launchId, state.status.error ?? stderr);
    }
  }
}
