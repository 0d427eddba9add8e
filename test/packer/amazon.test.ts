/** Amazon's builder, by every Packer that has it, over the wire against the AWS test cloud; the guest is provisioned by SSH. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeImagesCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AttemptOutcome } from '../../src/packer/runner.ts';
import { amisOf } from '../../src/providers/aws/collect.ts';
import {
  again,
  type AmazonCloud,
  amazonAttempt,
  left,
  openCloud,
  regions,
  sweep,
  targets,
} from './support/amazon.ts';
import { bakeHost, changed, example, type Host } from './support/attempts.ts';
import { missingAmazon, packersWithAmazon } from './support/packers.ts';
import { eventually, kill9, processesNaming, read } from './support/runs.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

let at: AmazonCloud;
beforeAll(async () => (at = await openCloud()));
beforeEach(async () => (at = await again(at)));
afterAll(() => at[Symbol.asyncDispose]());

test('every Packer with amazon-ebs is here', () => {
  if (missingAmazon.length === 0) return;
  const said = `not tested with ${missingAmazon.join(', ')}`;
  if (process.env['CI'] !== undefined) throw new Error(said);
  process.stderr.write(`${said}\n`);
});

async function watch(host: Host, attemptId: string): Promise<{ outcome: AttemptOutcome; log: string }> {
  let log = '';
  const outcome = await host.again().watch(attemptId, {
    signal: AbortSignal.timeout(150_000),
    onLog: (_, text) => void (log += text),
  });
  return { outcome, log };
}

/** The example with a provisioner that tells when it runs, and takes its time. */
const slow = async () =>
  changed(await example('aws/linux.pkr.hcl'), {
    '"sudo=; test': '"echo provisioning; sleep 100", "sudo=; test',
  });

/** As a power cut does: one that lives a moment longer than another would clean up after it. */
async function killAll(host: Host): Promise<void> {
  for (;;) {
    const alive = processesNaming(host.path);
    if (alive.length === 0) return;
    for (const pid of alive) stop(pid);
    alive.forEach(kill9);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function stop(pid: number): void {
  try {
    process.kill(pid, 'SIGSTOP');
  } catch {
    // It ended meanwhile.
  }
}

describe.each(packersWithAmazon)('with Packer $version', (packer) => {
  test('the Linux example bakes in two regions, everything made carries the mark, and nothing else is left', async () => {
    await using host = bakeHost(packer);
    const input = await amazonAttempt(at, host, await example('aws/linux.pkr.hcl'));
    const { attemptId, bakeId, imageName } = input.mark;
    await host.runner.validate(input);
    expect(await host.runner.begin(input)).toMatchObject({ packer: { version: packer.version } });
    const { outcome, log } = await watch(host, attemptId);
    expect(outcome, log).toMatchObject({
      ended: 'succeeded',
      sources: [{ source: 'amazon-ebs.linux', state: 'done', artifacts: [{ builderType: 'amazon-ebs' }] }],
    });
    const made = amisOf(outcome.sources[0]?.artifacts[0]?.artifactId ?? '');
    expect([...made.keys()].toSorted()).toEqual(regions.toSorted());
    for (const [region, imageId] of made) {
      const { Images: [image] = [] } = await at.cloud
        .ec2(at.cloud.accounts.owner, region)
        .send(new DescribeImagesCommand({ ImageIds: [imageId] }));
      expect(image).toMatchObject({ State: 'available', Name: imageName });
      const { images, snapshots } = await at.cloud.everything(at.cloud.accounts.owner, region);
      const carrying = [...images, ...snapshots].filter(
        ({ tags }) => tags['bake_id'] === bakeId && tags['attempt_id'] === attemptId,
      );
      expect(carrying).toHaveLength(2);
    }
    // The guest was reached, and what it was told is in its log.
    expect(log).toContain(`amazon-ebs.linux: linux: ${imageName} bake ${bakeId}`);
    expect(log).not.toContain(input.environment?.['AWS_SECRET_ACCESS_KEY']);
    expect((await left(at.cloud)).map((one) => one.split(' ')[1])).toEqual([
      'image',
      'snapshot',
      'image',
      'snapshot',
    ]);
    await sweep(at, attemptId);
    expect(await left(at.cloud)).toEqual([]);
  });

  test.each(['while the guest is provisioned', 'while the image is made', 'while the copy is made'])(
    'killed %s with its supervisor, sweeping leaves nothing in the cloud',
    async (moment) => {
      await using host = bakeHost(packer);
      const isEarly = moment === 'while the guest is provisioned';
      const input = await amazonAttempt(
        at,
        host,
        isEarly ? await slow() : await example('aws/linux.pkr.hcl'),
      );
      const { attemptId } = input.mark;
      await at.cloud.setDelays({ image: moment === 'while the image is made' ? 600_000 : 200 });
      await host.runner.begin(input);
      const output = join(host.attemptsDir, attemptId, 'run', 'stdout.log');
      if (isEarly) await eventually(() => read(output).includes('provisioning'));
      else if (moment === 'while the image is made')
        await eventually(() => read(output).includes('to become ready'));
      else await eventually(() => read(output).includes('Copying'));
      await killAll(host);
      expect(await left(at.cloud)).not.toEqual([]);
      await host.again().cancel(attemptId, 1_000);
      const { outcome } = await watch(host, attemptId);
      expect(outcome.ended).toMatch(/^(lost|cancelled)$/);
      await at.cloud.setDelays({ image: 200 });
      const swept = await sweep(at, attemptId);
      expect(swept).toEqual(expect.arrayContaining(['key-pair', 'security-group', 'instance']));
      expect(await left(at.cloud)).toEqual([]);
      await host.again().sweepLocal(attemptId);
      expect(existsSync(join(host.attemptsDir, attemptId))).toBe(false);
    },
  );

  test('cancelled in the middle, Packer cleans up in the cloud by itself', async () => {
    await using host = bakeHost(packer);
    const input = await amazonAttempt(at, host, await slow());
    const { attemptId } = input.mark;
    await host.runner.begin(input);
    const output = join(host.attemptsDir, attemptId, 'run', 'stdout.log');
    await eventually(() => read(output).includes('provisioning'));
    await host.runner.cancel(attemptId, 60_000);
    expect((await watch(host, attemptId)).outcome).toMatchObject({ ended: 'cancelled', signal: null });
    expect(await at.provider.cleanup.leftovers(attemptId, targets)).toEqual([]);
    expect(await left(at.cloud)).toEqual([]);
  });
});
