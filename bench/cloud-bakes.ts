/** Many bakes at once in a cloud, against as many bare `packer build`s of the same template; and how often each step calls the cloud. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WorkflowNotFoundError } from '@temporalio/client';
import { readTemplateFolder } from '../src/config/template-folder.ts';
import { loadTools } from '../src/config/tools.ts';
import { openGates } from '../src/domain/image-line.ts';
import { templateDigest } from '../src/domain/template-digest.ts';
import { workflowIds } from '../src/domain/workflow-ids.ts';
import { startAwsCloud, type AwsCloud } from '../test/support/clouds/aws.ts';
import { awsProvider, region, startAwsHost } from './aws-host.ts';
import { callsOfSteps } from './cloud-calls.ts';
import type { Installation } from './installation.ts';
import { type Measured, ms } from './report.ts';
import { by, project } from './seed.ts';
import { median } from './statistics.ts';

const example = fileURLToPath(new URL('../examples/aws', import.meta.url));
const entry = 'linux.pkr.hcl';
const bucketOf = (index: number) => `bench-aws-${index}`;

export async function cloudBakes(at: Installation, count: number): Promise<Measured> {
  await using closing = new AsyncDisposableStack();
  const cloud = await startAwsCloud();
  closing.defer(() => cloud.stop());
  await cloud.baseImage(region);
  const provider = awsProvider(cloud);
  const host = await startAwsHost(at, provider, count);
  closing.defer(() => host.stop());
  await applyLines(at, cloud, count);
  // Once each beforehand: files come into the cache, clients connect.
  await together(1, (index) => bareBuild(at, cloud, `warm-${index}`));
  await together(1, (index) => wholeBake(at, bucketOf(index)));

  await cloud.clearCalls();
  const bare = await together(count, (index) => bareBuild(at, cloud, `${index}`));
  const bareCalls = await callsPer(cloud, count);
  await cloud.clearCalls();
  const whole = await together(count, (index) => wholeBake(at, bucketOf(index)));
  const wholeCalls = await callsPer(cloud, count);
  const steps = await callsOfSteps(cloud, provider);
  const ratio = whole.all / bare.all;
  return {
    figures: [
      { what: `${count} bare packer builds at once, all done`, value: ms(bare.all) },
      { what: `${count} whole bakes at once, all done`, value: ms(whole.all) },
      {
        what: 'ratio',
        value: ratio.toFixed(2),
        aim: '1.25 or less',
        met: ratio <= 1.25,
      },
      { what: 'one bare build among them, median', value: ms(median(bare.each)) },
      { what: 'one whole bake among them, median', value: ms(median(whole.each)) },
      { what: 'calls of a bare build', value: bareCalls.toFixed(1) },
      { what: 'calls of a whole bake', value: wholeCalls.toFixed(1) },
      ...steps.map(({ step, calls, least }) => ({
        what: `calls: ${step}`,
        value: String(calls.length),
        aim: `${least} needed`,
        met: calls.length <= least,
      })),
    ],
    raw: { bare, whole, bareCalls, wholeCalls, steps },
  };
}

/** EC2 only: logins are kept, and are no part of a step. */
async function callsPer(cloud: AwsCloud, count: number): Promise<number> {
  return (await cloud.calls()).filter(({ service }) => service === 'ec2').length / count;
}

async function together(
  count: number,
  work: (index: number) => Promise<void>,
): Promise<{ readonly all: number; readonly each: readonly number[] }> {
  const began = performance.now();
  const each = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      await work(index);
      return performance.now() - began;
    }),
  );
  return { all: performance.now() - began, each };
}

const variablesOf = (cloud: AwsCloud) => ({
  region,
  copy_to: '',
  source_name: 'base',
  source_owner: cloud.accounts.owner,
  ssh_username: 'root',
  ssh_port: '2222',
});

async function bareBuild(at: Installation, cloud: AwsCloud, name: string): Promise<void> {
  const packer = loadTools().packers.find(({ builders }) => builders?.includes('amazon-ebs'));
  if (packer === undefined) throw new Error('no Packer here has the builder amazon-ebs: run `npm run setup`');
  const home = path.join(at.folder, `bare-aws-${name}`);
  mkdirSync(path.join(home, 'tmp'), { recursive: true });
  const varFile = path.join(home, 'bench.pkrvars.json');
  const mark = { bake_id: `bare-${name}`, attempt_id: `bare-${name}`, image_name: `bare-${name}` };
  const variables = {
    ...variablesOf(cloud),
    ...mark,
    temporary_key_pair_name: `bare-${name}`,
    ec2_endpoint: cloud.endpoint,
    output_directory: path.join(home, 'output'),
    manifest_path: path.join(home, 'manifest.json'),
  };
  writeFileSync(varFile, JSON.stringify(variables));
  const args = ['build', '-machine-readable', '-color=false', `-var-file=${varFile}`, entry];
  const child = spawn(packer.path, args, {
    cwd: example,
    env: {
      ...cloud.environment,
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      TMPDIR: path.join(home, 'tmp'),
      PACKER_CACHE_DIR: path.join(home, 'cache'),
      CHECKPOINT_DISABLE: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
  }
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Error(`packer build ended ${String(status)}: ${said}`);
}

/** From the asking to the end of the workflow, the relay included. */
async function wholeBake({ registry, temporal }: Installation, bucket: string): Promise<void> {
  const { request } = await registry.requests.accept({ project, bucket, kind: 'bake', variables: {}, by });
  const handle = temporal.client.workflow.getHandle(workflowIds.bake(project, request.id, request.attempt));
  for (;;) {
    try {
      await handle.result();
      return;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      await sleep(5);
    }
  }
}

async function applyLines({ registry }: Installation, cloud: AwsCloud, count: number): Promise<void> {
  const { files } = await readTemplateFolder(example);
  const digest = await templateDigest(files);
  await registry.lines.putTemplate({ digest, files });
  const target = { provider: 'aws', account: cloud.accounts.owner, region, launch: {} };
  const lines = Array.from({ length: count }, (_, index) => ({
    bucket: bucketOf(index),
    description: '',
    template: { kind: 'folder', path: 'aws', entry, digest } as const,
    sources: [],
    parents: [],
    targets: [target],
    tests: [],
    channels: [{ name: 'dev', gates: openGates }],
    timeLimitMs: 900_000,
    endOfLifeCascades: false,
    variables: variablesOf(cloud),
  }));
  await registry.lines.apply(project, lines, by);
}
