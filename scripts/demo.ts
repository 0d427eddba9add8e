/**
 * `npm run demo`: the main job on this machine, with nothing but what is public: `bakehouse up`, the CLI and the typed client.
 * `--keep` leaves the system running. Ends 0 only when everything it claims was seen.
 */
import { spawnSync } from 'node:child_process';
import { DemoRun } from './demo/run.ts';
import { story } from './demo/story.ts';
import { printSummary } from './demo/summary.ts';
import { startSystem } from './demo/system.ts';

const keep = process.argv.includes('--keep');

const setup = spawnSync(process.execPath, ['scripts/setup.ts'], { stdio: 'inherit' });
if (setup.status !== 0) process.exit(setup.status ?? 1);

const run = new DemoRun();
let system: Awaited<ReturnType<typeof startSystem>> | undefined;
let failed = false;
try {
  system = await startSystem(run);
  const proof = await story(run, system);
  printSummary(run, system, proof, keep);
} catch (error) {
  failed = true;
  run.fail(error);
  if (system !== undefined) console.error(`The logs are in ${system.dataDir}/logs.`);
} finally {
  if (system !== undefined && (!keep || failed)) await system.stop();
  else system?.leave();
}
process.exit(failed ? 1 : 0);
