/** The two Packers that everything is tested with: Debian's 1.6.6, and the newest one from the cache. */
import { existsSync } from 'node:fs';

import { amazonPluginFolder, amazonPluginVersion } from '../../../scripts/setup/packer-plugins.ts';
import { latestPackerPath, latestPackerVersion } from '../../../scripts/setup/packer-latest.ts';
import { loadTools } from '../../../src/config/tools.ts';
import type { DetectedPacker } from '../../../src/packer/detect.ts';
import { detectPackers, isAtLeast } from '../../../src/packer/detect.ts';

const candidates = [...loadTools().packers.map((one) => one.path), '/usr/bin/packer'];
const found = await detectPackers(
  [...new Set(candidates)].map((path) => ({ path })),
  process.env,
);

const old = found.find((packer) => !isAtLeast(packer.version, '1.7.0'));
const [latest] = existsSync(latestPackerPath())
  ? await detectPackers([{ path: latestPackerPath() }], process.env)
  : [];

export const missingPackers: readonly string[] = [
  ...(old === undefined ? ["Packer 1.6.6 (Debian's package `packer`)"] : []),
  ...(latest === undefined
    ? [`Packer ${latestPackerVersion} (run \`node scripts/bootstrap.mjs scripts/setup/packer-latest.ts\`)`]
    : []),
];

export const packersUnderTest: readonly DetectedPacker[] = [old, latest].filter((one) => one !== undefined);

/** Those that have Amazon's builder: compiled in, and by its plugin. */
export const packersWithAmazon: readonly DetectedPacker[] = [
  ...(old === undefined ? [] : [old]),
  ...(existsSync(latestPackerPath()) && existsSync(amazonPluginFolder())
    ? await detectPackers([{ path: latestPackerPath(), plugins: amazonPluginFolder() }], process.env)
    : []),
].filter(({ builders }) => builders.includes('amazon-ebs'));

export const missingAmazon: readonly string[] = [
  ...(packersWithAmazon.some(({ version }) => !isAtLeast(version, '1.7.0'))
    ? []
    : ["Packer 1.6.6 with amazon-ebs (Debian's package `packer`)"]),
  ...(packersWithAmazon.some(({ version }) => version === latestPackerVersion)
    ? []
    : [
        `Packer ${latestPackerVersion} with its amazon plugin ${amazonPluginVersion} (run \`node scripts/bootstrap.mjs scripts/setup/packer-plugins.ts\`)`,
      ]),
];
