import { existsSync, readdirSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

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
      testTimeout: 30_000,
      hookTimeout: 60_000,
    },
  }));

export default defineConfig({ test: { pool: 'forks', maxWorkers: 2, projects } });
