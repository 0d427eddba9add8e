import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What a suite needs before its first test; each is started once per run, however many suites ask for it. */
const needs: Readonly<Record<string, readonly string[]>> = {
  database: [
    'contract',
    'store',
    'registry',
    'http',
    'client',
    'cli',
    'temporal',
    'activities',
    'workflows',
    'worker',
    'kill',
    'machines',
    'lineage',
    'e2e',
    'compose',
    'vault',
    'hcp',
  ],
  bundle: ['workflows'],
  temporal: [
    'temporal',
    'http',
    'client',
    'cli',
    'workflows',
    'worker',
    'kill',
    'machines',
    'lineage',
    'e2e',
    'compose',
  ],
};

/** Suites that keep nothing in modules or in the environment: one process runs many of their files, and loads the libraries once. */
const light = new Set(['activities', 'config', 'domain', 'http', 'registry', 'workflows']);

const notSuites = new Set(['support', 'histories']);

function globalSetup(suite: string): string[] {
  return Object.keys(needs)
    .filter((need) => needs[need]?.includes(suite))
    .map((need) => `test/support/global-${need}.ts`)
    .filter((file) => existsSync(file));
}

/** One project per folder of `test/`: its count and time are reported apart, and it starts only what it needs. */
const projects = readdirSync('test', { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !notSuites.has(entry.name))
  .map(({ name }) => ({
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      globalSetup: globalSetup(name),
      pool: 'forks' as const,
      isolate: !light.has(name),
      // What a test replaced does not reach the next one, nor the next file of its process.
      restoreMocks: true,
      unstubEnvs: true,
      testTimeout: 60_000,
      hookTimeout: 60_000,
      // The usual second is short where four files share two processors.
      expect: { poll: { timeout: 20_000 } },
    },
  }));

/** What takes half a minute and more, the longest first. */
const long = [
  'kill/bake-',
  'machines/',
  'kill/cascade',
  'kill/azure-clouds',
  'vault/release',
  'contract/aws-faults',
  'lineage/',
  'kill/closed',
  'packer/amazon',
  'kill/aws-clouds',
  'kill/requests',
  'activities/multi-cloud-bake',
  'contract/azure-images-faults',
  'kill/',
  'registry/interleaved',
  'vault/',
  'http/hcp/fuzz',
  'registry/any-order',
  'contract/qemu-bake',
  'packer/supervisor',
  'contract/azure-machines-faults',
  'setup/demo',
  'store/embedded',
  'worker/',
];

function lengthOf({ moduleId }: TestSpecification): number {
  const file = path.relative('test', moduleId);
  const at = long.findIndex((prefix) => file.startsWith(prefix));
  return at === -1 ? long.length : at;
}

const isLong = (file: TestSpecification): boolean => lengthOf(file) < long.length;

/** Long files wait for half of their time (for a date, for a host that does not come back): one of them, then some that do not, and so on. */
class LongOnesSpread extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- the sequencer's own
    const usual = await super.sort(files);
    const longest = usual.filter(isLong).toSorted((one, other) => lengthOf(one) - lengthOf(other));
    const others = usual.filter((file) => !isLong(file));
    if (longest.length === 0) return others;
    const between = Math.ceil(others.length / longest.length);
    return longest.flatMap((file, at) => [file, ...others.slice(at * between, (at + 1) * between)]);
  }
}

// Two processors are busy with four of them.
export default defineConfig({
  test: { pool: 'forks', maxWorkers: 4, sequence: { sequencer: LongOnesSpread }, projects },
});
