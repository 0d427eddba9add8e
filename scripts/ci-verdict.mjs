// Adds up what `npm test` and `npm run check` wrote. A summary that is missing is a failure: the run did not get that far.
import { readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;
for (const name of ['test-summary', 'check-summary']) {
  try {
    const summary = JSON.parse(
      readFileSync(new URL(`../node_modules/.cache/bakehouse/${name}.json`, import.meta.url), 'utf8'),
    );
    passed += summary.passed;
    failed += summary.failed;
  } catch {
    failed += 1;
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
