/** The whole `bake` workflow against a bare `packer build` of the same template, in alternating pairs. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WorkflowNotFoundError } from '@temporalio/client';
import { readTemplateFolder } from '../src/config/template-folder.ts';
import { type ImageLine, openGates } from '../src/domain/image-line.ts';
import { templateDigest } from '../src/domain/template-digest.ts';
import { workflowIds } from '../src/domain/workflow-ids.ts';
import { barePacker, seedImage, type Template } from './bare-packer.ts';
import type { Installation } from './installation.ts';
import { type Figure, type Measured, ms } from './report.ts';
import { by, project } from './seed.ts';
import { median } from './statistics.ts';

const examples = fileURLToPath(new URL('../examples', import.meta.url));

export async function bakes(at: Installation, templates: readonly Template[]): Promise<Measured> {
  const figures: Figure[] = [];
  const raw: Record<string, unknown> = {};
  for (const template of templates) {
    const { bare, whole } = await pairsOf(at, template);
    const extra = median(whole.map((took, index) => took - (bare[index] ?? took)));
    const allowed = Math.max(2_000, median(bare) * 0.02);
    const name = `${template.folder}/${template.entry}`;
    figures.push(
      { what: `${name}: packer build, median of ${bare.length}`, value: spread(bare) },
      { what: `${name}: whole bake, median`, value: spread(whole) },
      { what: `${name}: difference, median`, value: ms(extra), aim: ms(allowed), met: extra <= allowed },
    );
    raw[name] = { bare, whole };
  }
  return { figures, raw };
}

const spread = (values: readonly number[]): string =>
  `${ms(median(values))} (${ms(Math.min(...values))} to ${ms(Math.max(...values))})`;

async function pairsOf(at: Installation, template: Template) {
  const line = await lineOf(template);
  const { files } = await readTemplateFolder(path.join(examples, template.folder));
  await at.registry.lines.putTemplate({ digest: await templateDigest(files), files });
  await at.registry.lines.apply(project, [line], by);
  const bareBuild = await barePacker(at, path.join(examples, template.folder, template.entry), template);
  const bare: number[] = [];
  const whole: number[] = [];
  // Once each beforehand: files come into the cache.
  for (let index = -1; index < template.pairs; index += 1) {
    const pair = { bare: 0, whole: 0 };
    const wholeFirst = index % 2 === 0;
    if (wholeFirst) pair.whole = await wholeBake(at, line.bucket);
    pair.bare = await bareBuild();
    if (!wholeFirst) pair.whole = await wholeBake(at, line.bucket);
    if (index < 0) continue;
    bare.push(pair.bare);
    whole.push(pair.whole);
  }
  return { bare, whole };
}

/** From the asking to the end of the workflow, the relay included. Milliseconds. */
async function wholeBake({ registry, temporal }: Installation, bucket: string): Promise<number> {
  const began = performance.now();
  const { request } = await registry.requests.accept({ project, bucket, kind: 'bake', variables: {}, by });
  const handle = temporal.client.workflow.getHandle(workflowIds.bake(project, request.id, request.attempt));
  for (;;) {
    try {
      await handle.result();
      return performance.now() - began;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      await sleep(5);
    }
  }
}

async function lineOf({ folder, entry, variables }: Template): Promise<ImageLine> {
  const { files } = await readTemplateFolder(path.join(examples, folder));
  return {
    bucket: `bench-${folder}`,
    description: '',
    template: { kind: 'folder', path: folder, entry, digest: await templateDigest(files) },
    sources: [],
    parents: [],
    targets: [{ provider: 'qemu', account: 'local', region: 'local', launch: { memoryMb: 256 } }],
    tests: [],
    channels: [{ name: 'dev', gates: openGates }],
    timeLimitMs: 600_000,
    endOfLifeCascades: false,
    variables: { seed_image: seedImage(), ...variables },
  };
}
