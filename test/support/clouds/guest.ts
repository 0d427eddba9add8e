/** A fake machine's inside (`test/clouds/guest`): a folder in which commands really run, apart from this machine. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { testCloudFolders } from '../../../scripts/setup/test-clouds.ts';
import { installationRoot } from '../../../src/config/tools.ts';

export interface GuestOutcome {
  /** 124 on time-out. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export interface GuestState {
  readonly machineId: string;
  readonly bootId: string;
  /** As a console shows them, `SHA256:… (ED25519)`. */
  readonly hostKeys: readonly string[];
  readonly poweredOff: boolean;
}

export interface Guest {
  readonly root: string;
  /** Runs it with /bin/sh, without input; stopping by `signal` rejects and ends the command. */
  run(command: string, timeoutMs?: number, signal?: AbortSignal): Promise<GuestOutcome>;
  /** Boots it again: another boot id. */
  boot(): Promise<GuestState>;
  state(): Promise<GuestState>;
  remove(): Promise<void>;
}

/** A new one, in a folder that is not there yet. */
export async function createGuest(root: string): Promise<Guest> {
  await ask<GuestState>(['create', root]);
  return {
    root,
    run: (command, timeoutMs = 60_000, signal) =>
      ask(['run', root, String(timeoutMs / 1000), command], signal),
    boot: () => ask(['boot', root]),
    state: () => ask(['state', root]),
    async remove() {
      await ask(['remove', root]);
    },
  };
}

async function ask<T>(args: readonly string[], signal?: AbortSignal): Promise<T> {
  const { stdout } = await promisify(execFile)(
    'python3',
    [join(installationRoot, 'test/clouds/guest/guest.py'), ...args],
    {
      env: {
        PATH: process.env['PATH'],
        PYTHONDONTWRITEBYTECODE: '1',
        BAKEHOUSE_TEST_BUSYBOX: testCloudFolders().busybox,
      },
      maxBuffer: 64 * 1024 * 1024,
      // What it started dies with it.
      killSignal: 'SIGKILL',
      ...(signal === undefined ? {} : { signal }),
    },
  );
  const answer: T = JSON.parse(stdout);
  return answer;
}
