/** Faults of the local provider: killed callers, many callers, a full disk, damaged artifacts, missing programs. */
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { supervisor } from '../../src/packer/supervisor/supervisor.ts';
import type { BakeMark, CallContext, CollectInput, LaunchInput } from '../../src/providers/provider.ts';
import { createQemuProvider } from '../../src/providers/qemu/index.ts';
import { onSmallDisk } from '../support/small-disk.ts';
import { failure } from './provider-fixture.ts';
import { artifactOf, openQemu, qemuImg, seedImage, target, tools } from './qemu-fixture.ts';

const child = fileURLToPath(new URL('./qemu-child.ts', import.meta.url));
const context: CallContext = { signal: new AbortController().signal, beat: () => undefined };

interface Reply {
  readonly value?: unknown;
  readonly failure?: { readonly code?: string; readonly message: string };
}

let number = 0;
function mark(name: string): BakeMark {
  number += 1;
  return {
    bakeId: `bake-${name}-${number}`,
    attemptId: `attempt-${name}-${number}`,
    imageName: `${name}-${number}`,
  };
}

function collectInput(of: BakeMark, disk: string): CollectInput {
  return {
    mark: of,
    artifact: artifactOf(disk),
    targets: [target],
    stillCurrent: () => Promise.resolve(true),
  };
}

/** Command lines of the machines that run for this launch. */
function qemuOf(launchId: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return words[0]?.includes('qemu-system') && words.includes(launchId) ? [words.join(' ')] : [];
      } catch {
        return [];
      }
    });
}

/** The calls, at once, on a store that is a small disk. */
function onSmallStore(
  scratch: string,
  sizeMb: number,
  calls: readonly (readonly [string, unknown])[],
): { replies: readonly Reply[]; left: string } {
  const store = path.join(scratch, 'small');
  const reply = (index: number): string => path.join(scratch, `reply-${index}`);
  const runs = calls.map(
    ([call, input], index) =>
      `"${process.execPath}" "${child}" ${store} ${call} '${JSON.stringify(input)}' > ${reply(index)} &`,
  );
  const script = `{ ${runs.join('\n')} wait; find ${store} -type f; }`;
  const disk = { folder: store, kilobytes: sizeMb * 1024 };
  const { file, args } = onSmallDisk(disk, 'sh', '-c', script);
  const left = execFileSync(file, args, { encoding: 'utf8' });
  const replies = calls.map((_, index): Reply => JSON.parse(readFileSync(reply(index), 'utf8')));
  return { replies, left };
}

describe('qemu under faults', { timeout: 120_000 }, () => {
  const fixture = openQemu();
  const { provider, storeDir, scratch } = fixture;
  let imageId = '';

  beforeAll(async () => {
    const [image] = await provider.images.collect(collectInput(mark('base'), seedImage()), context);
    imageId = image?.imageId ?? '';
  });
  afterAll(() => fixture.dispose());

  const launchInput = (): LaunchInput => {
    number += 1;
    return {
      launchId: `fault-${number}`,
      image: { target, imageId },
      settings: { memoryMb: 96 },
      timeLimitMs: 60_000,
    };
  };

  async function killed(call: string, input: unknown, afterMs: number): Promise<void> {
    const process_ = spawn(process.execPath, [child, storeDir, call, JSON.stringify(input)], {
      stdio: 'ignore',
    });
    const gone = new Promise((resolve) => process_.on('exit', resolve));
    await delay(afterMs);
    process_.kill('SIGKILL');
    await gone;
  }

  function inChild(call: string, input: unknown): Promise<Reply> {
    const process_ = spawn(process.execPath, [child, storeDir, call, JSON.stringify(input)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said: Buffer[] = [];
    process_.stdout.on('data', (chunk: Buffer) => said.push(chunk));
    return new Promise((resolve) =>
      process_.on('close', () => resolve(JSON.parse(Buffer.concat(said).toString()))),
    );
  }

  it.each([120, 180, 220, 260, 300, 360, 450])(
    'launches one machine when the launching process was killed after %i ms',
    async (afterMs) => {
      const input = launchInput();
      await killed('launch', input, afterMs);
      const machine = await provider.machines.launch(input, context);

      expect(qemuOf(input.launchId)).toHaveLength(1);
      expect((await provider.images.uses(input.image)).uses.map(({ id }) => id)).toContain(input.launchId);
      expect(await provider.machines.launch(input, context)).toEqual(machine);
      await provider.machines.terminate(input.launchId, target);
      expect(qemuOf(input.launchId)).toEqual([]);
      expect(await provider.cleanup.leftovers(input.launchId, [target])).toEqual([]);
    },
  );

  it.each([150, 250, 400])('ends by launch id what a launch killed after %i ms left', async (afterMs) => {
    const input = launchInput();
    await killed('launch', input, afterMs);
    await provider.machines.terminate(input.launchId, target);

    expect(qemuOf(input.launchId)).toEqual([]);
    expect(await provider.cleanup.leftovers(input.launchId, [target])).toEqual([]);
  });

  it('keeps a machine running when its launcher is killed afterwards', async () => {
    const input = launchInput();
    const { value } = await inChild('launch', input);
    const [before] = qemuOf(input.launchId);

    expect(before).toContain(input.launchId);
    expect(await provider.machines.launch(input, context)).toEqual(value);
    await provider.machines.terminate(input.launchId, target);
  });

  it('launches one machine for five processes at once', async () => {
    const input = launchInput();
    const replies = await Promise.all([1, 2, 3, 4, 5].map(() => inChild('launch', input)));

    expect(new Set(replies.map((reply) => JSON.stringify(reply))).size).toBe(1);
    expect(replies[0]?.failure).toBeUndefined();
    expect(qemuOf(input.launchId)).toHaveLength(1);
    await provider.machines.terminate(input.launchId, target);
  });

  it('does not bring a machine back that was ended while it was launched', async () => {
    const input = launchInput();
    const launched = Promise.allSettled([provider.machines.launch(input, context), delay(60)]);
    await delay(30);
    await provider.machines.terminate(input.launchId, target);
    await launched;

    expect(qemuOf(input.launchId)).toEqual([]);
    expect(await provider.cleanup.leftovers(input.launchId, [target])).toEqual([]);
    await expect(provider.machines.launch(input, context)).rejects.toEqual(failure('illegal_state', 'ended'));
  });

  it.each([110, 140, 170, 200, 230])(
    'collects one image when the collecting process was killed after %i ms',
    async (afterMs) => {
      const of = mark('killed');
      const input = collectInput(of, seedImage());
      await killed('collect', input, afterMs);
      for (const leftover of await provider.cleanup.leftovers(of.attemptId, [target])) {
        await provider.cleanup.sweep(leftover);
      }
      const images = await provider.images.collect(input, context);

      expect(await provider.images.findFinished(of, [target])).toMatchObject(images);
      expect(await provider.cleanup.leftovers(of.attemptId, [target])).toEqual([]);
    },
  );

  it('collects one image for four processes and two attempts at once', async () => {
    const of = mark('raced');
    const attempts = [of, { ...of, attemptId: 'attempt-second' }, of, { ...of, attemptId: 'attempt-second' }];
    const replies = await Promise.all(
      attempts.map((one) => inChild('collect', collectInput(one, seedImage()))),
    );

    expect(new Set(replies.map((reply) => JSON.stringify(reply))).size).toBe(1);
    expect(await provider.images.findFinished(of, [target])).toHaveLength(1);
    for (const id of [of.attemptId, 'attempt-second'])
      expect(await provider.cleanup.leftovers(id, [target])).toEqual([]);
  });

  it('shows an image in one place while it is disabled and enabled over and over', async () => {
    const [image] = await provider.images.collect(collectInput(mark('moving'), seedImage()), context);
    const seen = new Set<string>();
    const mover = (async () => {
      for (let round = 0; round < 200; round += 1) {
        await provider.images.setLaunchable(image!, round % 2 === 1);
      }
    })();
    const watchers = [1, 2, 3].map(async () => {
      for (let look = 0; look < 500; look += 1) seen.add((await provider.images.inspect(image!)).presence);
    });
    await Promise.all([mover, ...watchers]);

    expect([...seen].toSorted()).toEqual(['disabled', 'present']);
  });

  it.each([
    ['a raw disk', 'format is raw', (disk: string) => writeFileSync(disk, Buffer.alloc(1024 * 1024))],
    [
      'a disk that needs another',
      'use_backing_file',
      (disk: string) => qemuImg('create', '-f', 'qcow2', '-F', 'qcow2', '-b', seedImage(), disk),
    ],
    [
      'a damaged disk',
      'corrupt',
      (disk: string) => {
        const content = readFileSync(seedImage());
        content.fill(0xff, 3 * 65_536, 5 * 65_536);
        writeFileSync(disk, content);
      },
    ],
  ])('refuses %s', async (name, words, make) => {
    const of = mark('bad');
    const disk = path.join(scratch, `${name.replaceAll(' ', '-')}.qcow2`);
    make(disk);

    await expect(provider.images.collect(collectInput(of, disk), context)).rejects.toEqual(
      failure('bake_failed', disk, words),
    );
    expect(await provider.cleanup.leftovers(of.attemptId, [target])).toEqual([]);
  });

  it('refuses two disks', async () => {
    const input = collectInput(mark('two'), seedImage());
    const two = { ...input, artifact: { ...input.artifact, files: [seedImage(), seedImage()] } };

    await expect(provider.images.collect(two, context)).rejects.toEqual(failure('bake_failed', '2 files'));
  });

  it('names the package when a program is missing', async () => {
    const bare = createQemuProvider({ storeDir, tools: {}, supervise: supervisor });
    const noSystem = createQemuProvider({
      storeDir,
      tools: { ...tools, qemuSystem: { path: '/nowhere/qemu' } },
      supervise: supervisor,
    });

    await expect(bare.images.collect(collectInput(mark('none'), seedImage()), context)).rejects.toEqual(
      failure('tool_missing', 'apt-get install', 'qemu-utils'),
    );
    const input = launchInput();
    await expect(noSystem.machines.launch(input, context)).rejects.toEqual(
      failure('tool_missing', 'qemu-system-x86'),
    );
    await provider.machines.terminate(input.launchId, target);
    expect((await bare.doctor()).filter(({ ok }) => !ok).map(({ check }) => check)).toHaveLength(4);
  });

  it('says so when KVM was asked for and cannot be had', async () => {
    const input = { ...launchInput(), settings: { accelerator: 'kvm' } };
    const launched = await provider.machines.launch(input, context).then(
      () => 'launched',
      (error: unknown) => error,
    );
    await provider.machines.terminate(input.launchId, target);

    expect(['launched', failure('illegal_state', 'accelerator: tcg')]).toContainEqual(launched);
  });

  it('takes an image and a launch whose names are no file names', async () => {
    const of = { ...mark('odd'), imageName: '../odd name/ä', attemptId: 'a/../b' };
    const [image] = await provider.images.collect(collectInput(of, seedImage()), context);
    const input = { ...launchInput(), launchId: 'launch/../../x y', image: image! };
    const machine = await provider.machines.launch(input, context);

    expect((await provider.images.inspect(image!)).reference).toMatch(
      new RegExp(`^${storeDir}/images/[\\w.-]+/disk.qcow2$`),
    );
    expect(qemuOf(machine.machineId)).toHaveLength(1);
    await provider.machines.terminate(input.launchId, target);
    expect(qemuOf(machine.machineId)).toEqual([]);
  });

  describe('with a full store', () => {
    it('refuses before it copies, naming the folder, what is free and what is needed', () => {
      const { replies, left } = onSmallStore(scratch, 10, [
        ['collect', collectInput(mark('full'), seedImage())],
      ]);

      expect(replies[0]?.failure?.code).toBe('resource_exhausted');
      expect(replies[0]?.failure?.message).toMatch(/small is full: free \d+ bytes, needed \d{8} bytes/);
      expect(left).toBe('');
    });

    it('leaves no half image when the disk fills up while it copies', () => {
      const calls = [1, 2, 3].map(() => ['collect', collectInput(mark('filling'), seedImage())] as const);
      const { replies, left } = onSmallStore(scratch, 60, calls);
      const failed = replies.filter((reply) => reply.failure !== undefined);

      expect(failed.length).toBeGreaterThan(0);
      expect(failed.map((reply) => reply.failure?.code)).toEqual(failed.map(() => 'resource_exhausted'));
      expect(left.split('\n').filter((file) => file.endsWith('disk.qcow2'))).toHaveLength(3 - failed.length);
      expect(left).not.toContain('incoming');
    });
  });
});
