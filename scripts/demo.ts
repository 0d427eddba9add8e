/**
 * `npm run demo`: the main job on this machine, with nothing but what is public: `bakehouse up`, the CLI and the typed client.
 * `--keep` leaves the system running. Ends 0 only when everything it claims was seen.
 */
import path from 'node:path';
import { installationRoot } from '../src/config/tools.ts';
import { demo } from './demo/demo.ts';

process.exit(
  await demo({
    dataDir: path.join(installationRoot, '.bakehouse/demo'),
    keep: process.argv.includes('--keep'),
  }),
);
