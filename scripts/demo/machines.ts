import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { supervisor } from '../../src/packer/supervisor/supervisor.ts';

/** QEMU has nothing to tidy up in a machine that is thrown away. */
const graceMs = 2_000;

/**
 * Test machines of the local provider outlive what started them, as bakes do. `bakehouse down` leaves them to the next start or to their
 * time limit.
 */
export async function endMachines(dataDir: string): Promise<void> {
  const launches = path.join(dataDir, 'images/launches');
  if (!existsSync(launches)) return;
  for (const launch of readdirSync(launches)) {
    await supervisor.end(path.join(launches, launch, 'run'), { graceMs });
  }
}
