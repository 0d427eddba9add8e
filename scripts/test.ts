/**
 * `npm test`: set-up, then every suite on the real parts, then one line per suite with its count and time.
 * Arguments go to vitest (`npm test -- test/domain`). A skipped test fails the run when CI is set, unless
 * `test/allowed-skips.txt` lists it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = path.join(root, 'node_modules/.cache/bakehouse');
const results = path.join(cache, 'vitest.json');

interface Assertion {
  readonly fullName: string;
  readonly status: 'passed' | 'failed' | 'pending' | 'skipped' | 'todo' | 'disabled';
  readonly duration?: number;
}
interface FileResult {
  readonly name: string;
  readonly status: 'passed' | 'failed';
  readonly startTime: number;
  readonly endTime: number;
  readonly assertionResults: readonly Assertion[];
}
interface Suite {
  passed: number;
  failed: number;
  skipped: number;
  ms: number;
}

const allowedSkips = readFileSync(path.join(root, 'test/allowed-skips.txt'), 'utf8')
  .split('\n')
  .map((line) => line.replace(/#.*/, '').trim())
  .filter(Boolean);

function run(file: string, args: readonly string[]): number {
  const done = spawnSync(process.execPath, [file, ...args], { cwd: root, stdio: 'inherit' });
  return done.status ?? 1;
}

function suiteOf(file: string): string {
  return path.relative(path.join(root, 'test'), file).split(path.sep)[0] ?? 'test';
}

function summarise(files: readonly FileResult[]): { suites: Map<string, Suite>; badSkips: string[] } {
  const suites = new Map<string, Suite>();
  const badSkips: string[] = [];
  for (const file of files) {
    const name = suiteOf(file.name);
    const suite = suites.get(name) ?? { passed: 0, failed: 0, skipped: 0, ms: 0 };
    suites.set(name, suite);
    suite.ms += Math.max(0, file.endTime - file.startTime);
    // A file that does not load has no assertions: it is one failure.
    if (file.status === 'failed' && !file.assertionResults.some((one) => one.status === 'failed'))
      suite.failed += 1;
    for (const one of file.assertionResults) {
      if (one.status === 'passed') suite.passed += 1;
      else if (one.status === 'failed') suite.failed += 1;
      else {
        suite.skipped += 1;
        if (!allowedSkips.some((allowed) => one.fullName.includes(allowed))) badSkips.push(one.fullName);
      }
    }
  }
  return { suites, badSkips };
}

const setup = run('scripts/setup.ts', ['--for-tests']);
if (setup !== 0) process.exit(setup);

mkdirSync(cache, { recursive: true });
rmSync(results, { force: true });
// Each test file is a process of its own that loads the same libraries.
process.env['NODE_COMPILE_CACHE'] = path.join(cache, 'compile');
const vitest = run('node_modules/vitest/vitest.mjs', [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${results}`,
  ...process.argv.slice(2),
]);

const report: { readonly testResults: readonly FileResult[] } = JSON.parse(readFileSync(results, 'utf8'));
const { suites, badSkips } = summarise(report.testResults);
const total = { passed: 0, failed: 0, skipped: 0, ms: 0 };
console.log('\nsuite           passed  failed  skipped   seconds');
for (const [name, suite] of [...suites].toSorted(([a], [b]) => a.localeCompare(b))) {
  console.log(
    `${name.padEnd(14)} ${String(suite.passed).padStart(7)} ${String(suite.failed).padStart(7)} ${String(suite.skipped).padStart(8)} ${(suite.ms / 1000).toFixed(1).padStart(9)}`,
  );
  total.passed += suite.passed;
  total.failed += suite.failed;
  total.skipped += suite.skipped;
  total.ms += suite.ms;
}
for (const name of badSkips) console.log(`skipped without being on test/allowed-skips.txt: ${name}`);
if (process.env['CI']) total.failed += badSkips.length;
// An error outside any test (a global set-up that failed) is a failure too.
if (vitest !== 0 && total.failed === 0) total.failed = 1;
writeFileSync(path.join(cache, 'test-summary.json'), JSON.stringify(total));
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);
