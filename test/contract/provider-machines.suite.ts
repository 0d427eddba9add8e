/** Conformance cases about machines. One machine is booted once and used by several of them; the others boot their own. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageRef } from '../../src/domain/target.ts';
import type { ImageProvider, LaunchInput, Machine, MachineStatus } from '../../src/providers/provider.ts';
import { failure, type Subject } from './provider-fixture.ts';

const bootDeadlineMs = 90_000;

export async function statusAfterBoot(provider: ImageProvider, machine: Machine): Promise<MachineStatus> {
  const giveUpAt = performance.now() + bootDeadlineMs;
  for (;;) {
    const status = await provider.machines.status(machine);
    if (status.state !== 'starting' || performance.now() > giveUpAt) return status;
    await delay(200);
  }
}

export function machineCases(open: () => Subject): void {
  let number = 0;
  let image: ImageRef;
  let first: LaunchInput;
  let machine: Machine;
  let booted: MachineStatus;

  const launchInput = (of: ImageRef, settings = open().fixture.settings): LaunchInput => {
    number += 1;
    return { launchId: `launch-${number}`, image: of, settings, timeLimitMs: 300_000 };
  };
  const run = (command: string, on = machine, timeoutMs = 20_000) =>
    open().provider.machines.run(on, command, timeoutMs, open().context);

  describe('machines', { timeout: 120_000 }, () => {
    beforeAll(async () => {
      const subject = open();
      image = await subject.image('booted');
      first = launchInput(image);
      machine = await subject.provider.machines.launch(first, subject.context);
      booted = await statusAfterBoot(subject.provider, machine);
    }, 120_000);
    afterAll(async () => {
      const { provider, target } = open();
      await provider.machines.terminate(first.launchId, target);
    });

    it('boots the image and says how long it took', () => {
      expect(booted).toEqual({ state: 'booted', bootMs: expect.any(Number) });
      expect(booted.bootMs).toBeGreaterThan(100);
      expect(machine.shell).toBe('posix');
      expect(JSON.parse(JSON.stringify(machine))).toEqual(machine);
    });

    it('runs commands and answers exit code and both outputs apart', async () => {
      expect(await run('echo out; echo err >&2; exit 3')).toEqual({
        exitCode: 3,
        stdout: 'out\n',
        stderr: 'err\n',
      });
      expect(await run('cat')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    });

    it('keeps the newest 64 KiB of a long output', async () => {
      const { stdout } = await run('seq 1 20000');

      expect(stdout.length).toBeLessThanOrEqual(64 * 1024);
      expect(stdout.length).toBeGreaterThan(60 * 1024);
      expect(stdout.endsWith('\n19999\n20000\n')).toBe(true);
    });

    it('gives up on a command at its time-out and at once when stopped', async () => {
      const { provider } = open();
      const stop = new AbortController();
      const stopped = provider.machines.run(machine, 'sleep 30', 20_000, {
        signal: stop.signal,
        beat: () => undefined,
      });
      setTimeout(() => stop.abort(new Error('stop')), 300);

      await expect(stopped).rejects.toThrow('stop');
      await expect(run('sleep 30', machine, 1_000)).rejects.toEqual(
        failure('test_failed', '1000 ms', 'sleep 30'),
      );
      expect(await run('true')).toMatchObject({ exitCode: 0 });
    });

    it('shows the serial console', async () => {
      expect((await open().provider.machines.console(machine)).length).toBeGreaterThan(100);
    });

    it('answers the same machine to a second launch with the same id', async () => {
      const { provider, context } = open();
      const bootId = (await run('cat /proc/sys/kernel/random/boot_id')).stdout;
      const again = await Promise.all([1, 2].map(() => provider.machines.launch(first, context)));

      expect(again).toEqual([machine, machine]);
      expect((await run('cat /proc/sys/kernel/random/boot_id', again[0])).stdout).toBe(bootId);
    });

    it('reports the machine as a use of its image and as a leftover of its launch', async () => {
      const { provider, target } = open();

      expect(await provider.images.uses(image)).toMatchObject({
        complete: true,
        uses: [{ kind: expect.any(String), id: machine.machineId, target }],
      });
      expect(await provider.cleanup.leftovers(first.launchId, [target])).toEqual([
        { kind: expect.any(String), id: expect.any(String), target, mark: first.launchId },
      ]);
    });

    it('gives every machine of an image an identity of its own', async () => {
      const subject = open();
      const { provider, context, target } = subject;
      const input = launchInput(image);
      const other = await provider.machines.launch(input, context);
      try {
        await statusAfterBoot(subject.provider, other);
        const identity =
          'cat /etc/machine-id; cat /etc/dropbear/* /etc/ssh/ssh_host_* 2>/dev/null | sha256sum; cat ~/.ssh/authorized_keys';
        const [one, two] = [
          (await run(identity)).stdout.split('\n'),
          (await run(identity, other)).stdout.split('\n'),
        ];

        expect(one.length).toBe(two.length);
        for (const [index, line] of one.entries()) if (line !== '') expect(two[index]).not.toBe(line);
      } finally {
        await provider.machines.terminate(input.launchId, target);
      }
      expect(await provider.machines.status(other)).toMatchObject({
        state: expect.stringMatching(/missing|stopped/),
      });
    });

    it('terminates as often as asked, also what never was', async () => {
      const { provider, context, target } = open();
      const input = launchInput(image);
      const short = await provider.machines.launch(input, context);
      await Promise.all([1, 2].map(() => provider.machines.terminate(input.launchId, target)));
      await provider.machines.terminate(input.launchId, target);
      await provider.machines.terminate('launch-never-was', target);

      expect(await provider.machines.status(short)).toMatchObject({
        state: expect.stringMatching(/missing|stopped/),
      });
      expect(await provider.cleanup.leftovers(input.launchId, [target])).toEqual([]);
      await expect(run('true', short)).rejects.toEqual(failure('illegal_state', input.launchId));
    });

    it('is swept by its leftover, as often as asked', async () => {
      const { provider, context, target } = open();
      const input = launchInput(image);
      await provider.machines.launch(input, context);
      const find = () => provider.cleanup.leftovers(input.launchId, [target]);
      // A cloud's lists lag behind what was just made.
      await expect.poll(find, { timeout: 10_000 }).toHaveLength(1);
      const leftovers = await find();
      for (const leftover of [...leftovers, ...leftovers]) await provider.cleanup.sweep(leftover);

      expect(await provider.cleanup.leftovers(input.launchId, [target])).toEqual([]);
    });

    it('ends by itself at its time limit', async () => {
      const { provider, context, target } = open();
      const input = { ...launchInput(image), timeLimitMs: 1_500 };
      const forgotten = await provider.machines.launch(input, context);
      await (open().fixture.pass ?? delay)(3_500);

      expect(await provider.machines.status(forgotten)).toMatchObject({ state: 'stopped' });
      expect((await provider.images.uses(image)).uses.map(({ id }) => id)).not.toContain(forgotten.machineId);
      await provider.machines.terminate(input.launchId, target);
    });

    it('says that a machine never booted, with its time-out', async () => {
      const subject = open();
      const { provider, context, target, fixture, mark, collectInput } = subject;
      const of = mark('unbootable');
      const [dead] = await provider.images.collect(collectInput(of, await fixture.unbootable(of)), context);
      const input = launchInput(dead!, fixture.shortBoot);
      const silent = await provider.machines.launch(input, context);
      try {
        await expect(statusAfterBoot(subject.provider, silent)).rejects.toEqual(
          failure('test_failed', dead!.imageId, 'console'),
        );
      } finally {
        await provider.machines.terminate(input.launchId, target);
      }
    });

    it('does not launch a disabled image, nor one that is missing; an enabled one again', async () => {
      const subject = open();
      const { provider, context, target } = subject;
      const one = await subject.image('revoked');
      await provider.images.setLaunchable(one, false);
      if (provider.capabilities.disable === 'blocks') {
        await expect(provider.machines.launch(launchInput(one), context)).rejects.toEqual(
          failure('illegal_state', one.imageId),
        );
      }
      const missing = { target, imageId: 'never-was' };
      await expect(provider.machines.launch(launchInput(missing), context)).rejects.toEqual(
        failure('not_found', 'never-was'),
      );

      await provider.images.setLaunchable(one, true);
      const input = launchInput(one);
      await provider.machines.launch(input, context);
      // A cloud shows a new machine a moment later.
      const uses = async () => (await provider.images.uses(one)).uses;
      await expect.poll(uses, { timeout: 10_000 }).toHaveLength(1);
      await provider.machines.terminate(input.launchId, target);
      await expect.poll(uses, { timeout: 10_000 }).toEqual([]);
    });

    it('refuses wrong settings before anything is made', async () => {
      const { provider, context, target, fixture } = open();
      const { settings, key } = fixture.wrongSetting;
      const input = launchInput(image, settings);

      await expect(provider.machines.launch(input, context)).rejects.toEqual(failure('invalid_input', key));
      expect(await provider.cleanup.leftovers(input.launchId, [target])).toEqual([]);
    });
  });
}
