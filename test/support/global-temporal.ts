import type { TestProject } from 'vitest/node';

import type { TestTemporal } from './temporal-server.ts';
import { startTemporal } from './temporal-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of the Temporal server that all suites share: use ids and queues of your own. */
    readonly temporalAddress: string;
  }
}

/** One server for the whole run, whichever suites ask for it, in whichever order they end. */
const shared: typeof globalThis & { bakehouseTemporal?: { users: number; server: Promise<TestTemporal> } } =
  globalThis;

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const one = (shared.bakehouseTemporal ??= { users: 0, server: startTemporal() });
  one.users += 1;
  const server = await one.server;
  project.provide('temporalAddress', server.address);
  return async () => {
    one.users -= 1;
    if (one.users > 0) return;
    delete shared.bakehouseTemporal;
    await server.stop();
  };
}
