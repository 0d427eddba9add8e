/** The fake guest, as a program of another language calls it. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGuest, type Guest } from '../support/clouds/guest.ts';

let folder: string;
let guest: Guest;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-guest-'));
  guest = await createGuest(path.join(folder, 'one'));
});
afterAll(async () => {
  await guest.remove();
  rmSync(folder, { recursive: true, force: true });
});

describe('a guest', () => {
  it('runs commands, with exit code and both outputs apart, without input', async () => {
    expect(await guest.run('echo out; echo err >&2; exit 3')).toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
      timedOut: false,
    });
    expect(await guest.run('cat')).toMatchObject({ exitCode: 0, stdout: '' });
    expect((await guest.run('seq 1 20000')).stdout).toMatch(/\n19999\n20000\n$/);
  });

  it('ends a command at its time-out, with all that it started', async () => {
    const mark = '31.4159';
    expect(await guest.run(`sleep ${mark} & sleep ${mark}`, 500)).toMatchObject({
      exitCode: 124,
      timedOut: true,
    });

    const running = await promisify(execFile)('ps', ['-eo', 'args']);
    expect(running.stdout).not.toContain(`sleep ${mark}`);
  });

  it('sees nothing of the machine it runs on', async () => {
    expect((await guest.run(`ls ${process.cwd()}`)).exitCode).not.toBe(0);
    expect((await guest.run('id -u; hostname; ip -o link | grep -v " lo: " | wc -l')).stdout).toBe(
      '0\nguest\n0\n',
    );
    expect((await guest.run('echo gone > /dev/null; cat /dev/null')).stdout).toBe('');
  });

  it('has an identity of its own, made since it booted', async () => {
    const other = await createGuest(path.join(folder, 'two'));
    const identity =
      'cat /etc/machine-id /proc/sys/kernel/random/boot_id; cat /etc/ssh/ssh_host_* | sha256sum';
    const [one, two] = [await guest.run(identity), await other.run(identity)].map(({ stdout }) =>
      stdout.split('\n'),
    );
    for (const line of one?.filter(Boolean) ?? []) expect(two).not.toContain(line);
    const { stdout: times } = await other.run(
      'stat -c %Y /etc/ssh/ssh_host_rsa_key; date +%s; cut -d" " -f1 /proc/uptime',
    );
    const [made = 0, now = 0, uptime = 0] = times.trim().split('\n').map(Number);
    expect(made).toBeGreaterThanOrEqual(now - uptime - 2);

    await other.remove();
    expect(existsSync(path.join(folder, 'two'))).toBe(false);
  });

  it('has a boot id for each boot, and says that it switched itself off', async () => {
    const before = await guest.state();
    await guest.run('poweroff');
    expect(await guest.state()).toEqual({ ...before, poweredOff: true });
    const after = await guest.boot();

    expect(after).toMatchObject({ machineId: before.machineId, poweredOff: false });
    expect(after.bootId).not.toBe(before.bootId);
  });
});
