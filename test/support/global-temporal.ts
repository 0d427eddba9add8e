import type { TestProject } from 'vitest/node';

import { startTemporal } from './temporal-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of the Temporal server that all suites share: use ids and queues of your own. */
    readonly temporalAddress: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTemporal();
  project.provide('temporalAddress', server.address);
  return () => server.stop();
}
