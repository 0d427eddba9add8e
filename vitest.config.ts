import { existsSync, readdirSync } from 'node:fs';
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
      // Real machines have the processors for themselves, after all others.
      sequence: { groupOrder: name === 'machines' ? 1 : 0 },
      testTimeout: 60_000,
      hookTimeout: 60_000,
      // The usual second is short where three files share two processors.
      expect: { poll: { timeout: 20_000 } },
    },
  }));

/** Suites whose files take minutes. They come first: a long one that begins last would run alone. */
const long = ['kill', 'vault', 'lineage', 'registry', 'e2e', 'contract', 'worker', 'workflows'];

const place = ({ project }: TestSpecification): number => long.indexOf(project.name) + 1 || long.length + 1;

class LongOnesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- the sequencer's own
    const usual = await super.sort(files);
    return usual.toSorted((one, other) => place(one) - place(other));
  }
}

// Tests of whole installations wait for a third of their time: two processors are busy with three of them.
export default defineConfig({
  test: { pool: 'forks', maxWorkers: 3, sequence: { sequencer: LongOnesFirst }, projects },
});
