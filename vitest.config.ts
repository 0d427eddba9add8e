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

/**
 * Suites of whole installations, which wait for half of their time: for a date, for a host that does not come back. They run after all
 * others, more of them at once.
 */
const patient = new Set(['kill', 'machines']);

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
      ...(patient.has(name)
        ? { maxWorkers: 4, sequence: { groupOrder: 1 } }
        : { maxWorkers: 3, sequence: { groupOrder: 0 } }),
      testTimeout: 60_000,
      hookTimeout: 60_000,
      // The usual second is short where three files share two processors.
      expect: { poll: { timeout: 20_000 } },
    },
  }));

/** What takes longest, in this order. They come first: a long one that begins last would run alone. */
const long = [
  'machines/',
  'kill/bake-',
  'kill/cascade',
  'kill/azure-clouds',
  'kill/',
  'vault/release',
  'contract/aws-faults',
  'lineage/',
  'packer/amazon',
  'activities/multi-cloud-bake',
  'contract/azure-images-faults',
  'vault/',
  'http/hcp/fuzz',
  'registry/inter',
  'registry/any-order',
  'contract/',
  'packer/supervisor',
  'setup/',
  'registry/',
  'e2e/',
  'worker/',
  'workflows/',
];

function place({ moduleId }: TestSpecification): number {
  const file = path.relative('test', moduleId);
  const at = long.findIndex((prefix) => file.startsWith(prefix));
  return at === -1 ? long.length : at;
}

class LongOnesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- the sequencer's own
    const usual = await super.sort(files);
    return usual.toSorted((one, other) => place(one) - place(other));
  }
}

export default defineConfig({
  test: { pool: 'forks', sequence: { sequencer: LongOnesFirst }, projects },
});
