/** The examples, baked by a real Packer, collected, searched and booted: what the demo does, without the workflows. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BakePreparation, CallContext, CollectedImage, Machine } from '../../src/providers/provider.ts';
import { statusAfterBoot } from './provider-machines.suite.ts';
import { artifactOf, openQemu, seedImage, target, tools } from './qemu-fixture.ts';

const examples = path.join(import.meta.dirname, '../../examples/qemu');
const context: CallContext = { signal: new AbortController().signal, beat: () => undefined };

interface Manifest {
  readonly builds: readonly {
    readonly builder_type: string;
    readonly files: readonly { readonly name: string }[];
    readonly custom_data: Readonly<Record<string, string>>;
  }[];
}

interface Baked {
  readonly image: CollectedImage;
  readonly preparation: BakePreparation;
  readonly manifest: Manifest;
}

describe('the qemu examples', { timeout: 180_000 }, () => {
  const fixture = openQemu();
  const { provider, scratch } = fixture;
  const packer = tools.packers.find(({ builders }) => builders?.includes('qemu'))?.path ?? 'packer';

  async function bake(name: string, template: string, variables: Record<string, string>): Promise<Baked> {
    const mark = { bakeId: `bake-${name}`, attemptId: `attempt-${name}`, imageName: name };
    const folder = path.join(scratch, name);
    mkdirSync(folder);
    const preparation = await provider.prepareBake!({
      mark,
      folder: path.join(folder, 'preparation'),
      targets: [fixture.target],
      timeLimitMs: 600_000,
    });
    const manifestPath = path.join(folder, 'manifest.json');
    const file = path.join(folder, 'variables.pkrvars.json');
    const all = {
      ...preparation.variables,
      ...variables,
      bake_id: mark.bakeId,
      attempt_id: mark.attemptId,
      image_name: mark.imageName,
      output_directory: path.join(folder, 'output'),
      manifest_path: manifestPath,
    };
    writeFileSync(file, JSON.stringify(all), { mode: 0o600 });
    execFileSync(packer, ['build', '-color=false', `-var-file=${file}`, template], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, TMPDIR: folder, CHECKPOINT_DISABLE: '1' },
    });
    const manifest: Manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
    const [image] = await provider.images.collect(
      {
        mark,
        artifact: artifactOf(manifest.builds[0]!.files[0]!.name),
        targets: [target],
        stillCurrent: () => Promise.resolve(true),
      },
      context,
    );
    return { image: image!, preparation, manifest };
  }

  const launched: string[] = [];
  async function boot(image: CollectedImage, launchId: string): Promise<Machine> {
    launched.push(launchId);
    const input = { launchId, image, settings: { readyMarker: '^ready boot-id=' }, timeLimitMs: 120_000 };
    const machine = await provider.machines.launch(input, context);
    expect(await statusAfterBoot(provider, machine)).toMatchObject({ state: 'booted' });
    return machine;
  }
  const run = async (machine: Machine, command: string): Promise<string> =>
    (await provider.machines.run(machine, command, 20_000, context)).stdout;

  let parent: Baked;
  let child: Baked;
  beforeAll(async () => {
    parent = await bake('base-v1', path.join(examples, 'base.pkr.hcl'), {
      seed_image: seedImage(),
      release: '7',
    });
    const { reference = '' } = await provider.images.inspect(parent.image);
    child = await bake('app-v1', path.join(examples, 'app.pkr.hcl'), {
      parent_image: reference,
      release: '3',
    });
  }, 180_000);
  afterAll(async () => {
    for (const launchId of launched) await provider.machines.terminate(launchId, target);
    await fixture.dispose();
  });

  it('say in the manifest whose they are', () => {
    expect(parent.manifest.builds[0]).toMatchObject({
      builder_type: 'qemu',
      custom_data: { bake_id: 'bake-base-v1', attempt_id: 'attempt-base-v1' },
    });
  });

  it('leave no key of the bake on either disk, though the disk is searched well', async () => {
    for (const { image, preparation } of [parent, child]) {
      const needles = [...preparation.mustBeGone, 'BEGIN OPENSSH PRIVATE KEY', 'release: '];

      expect(await provider.searchDisk!(image, needles, context)).toEqual(['release: ']);
    }
  });

  it('leave the key on the disk when a template forgets to generalize, which the search finds', async () => {
    const text = readFileSync(path.join(examples, 'base.pkr.hcl'), 'utf8');
    const forgetful = path.join(scratch, 'forgetful.pkr.hcl');
    writeFileSync(forgetful, text.replace('inline = ["generalize"]', 'inline = ["sync"]'));
    const { image, preparation } = await bake('forgetful', forgetful, { seed_image: seedImage() });

    expect(await provider.searchDisk!(image, preparation.mustBeGone, context)).toEqual(
      preparation.mustBeGone,
    );
  });

  it('boot with what was baked into them, the child on top of its parent', async () => {
    const machine = await boot(child.image, 'launch-child');

    expect(await run(machine, 'cat /etc/bakehouse-release')).toBe(
      'base: base-v1 release 7 bake bake-base-v1\napp: app-v1 release 3 bake bake-app-v1\n',
    );
    expect(await run(machine, 'app')).toBe('app release 3\n');
    expect(await provider.machines.console(machine)).toContain('release: app: app-v1 release 3');
  });

  it('know nobody but the machine that was launched: one key, no password, fresh identity', async () => {
    const machine = await boot(child.image, 'launch-again');
    const keys = await run(machine, 'cat /root/.ssh/authorized_keys');

    expect(keys.trim().split('\n')).toHaveLength(1);
    expect(keys).not.toContain(child.preparation.mustBeGone[0]);
    expect(await run(machine, 'cut -d: -f2 /etc/shadow')).toBe('*\n');
    const first = { launchId: 'launch-child', target, machineId: '', handle: {} };
    const machines = [
      machine,
      await provider.machines.launch({ ...first, image: child.image, settings: {}, timeLimitMs: 1 }, context),
    ];
    const ids = await Promise.all(machines.map((one) => run(one, 'cat /etc/machine-id')));
    expect(ids[0]).toMatch(/^[0-9a-f]{32}\n$/);
    expect(ids[1]).not.toBe(ids[0]);
  });
});
