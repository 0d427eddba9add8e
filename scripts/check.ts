/**
 * `npm run check`: everything that needs no server. Each step is run even when an earlier one failed, so that one run
 * tells all that is wrong.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name: string): string => path.join(root, 'node_modules/.bin', name);

const steps: readonly { readonly name: string; readonly file: string; readonly args: readonly string[] }[] = [
  { name: 'format', file: bin('prettier'), args: ['--check', '--log-level=warn', '.'] },
  { name: 'lint', file: bin('oxlint'), args: ['--type-aware', '--deny-warnings'] },
  { name: 'types', file: path.join(root, 'node_modules/@typescript/native/bin/tsc'), args: ['-p', '.'] },
  { name: 'import rules', file: bin('depcruise'), args: ['src', '--config', '.dependency-cruiser.cjs'] },
  { name: 'dead code', file: bin('knip'), args: ['--no-progress'] },
  { name: 'generated docs', file: process.execPath, args: ['scripts/generate-docs.ts', '--check'] },
  {
    name: 'fast tests',
    file: process.execPath,
    args: ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.fast.config.ts', '--reporter=dot'],
  },
];

let failed = 0;
for (const step of steps) {
  const began = performance.now();
  const done = spawnSync(step.file, [...step.args], { cwd: root, encoding: 'utf8' });
  const ok = done.status === 0;
  if (!ok) failed += 1;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${step.name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  if (!ok) console.log(`${done.error?.message ?? ''}${done.stdout ?? ''}${done.stderr ?? ''}`);
}
const cache = path.join(root, 'node_modules/.cache/bakehouse');
mkdirSync(cache, { recursive: true });
writeFileSync(
  path.join(cache, 'check-summary.json'),
  JSON.stringify({ passed: steps.length - failed, failed }),
);
process.exit(failed === 0 ? 0 : 1);
