import type { TestProject } from 'vitest/node';

import { bundleFolder, workflowBundle } from '../../src/worker/bundle.ts';
import { quietLog } from './quiet-log.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the bundled workflow code, made once per state of the code. */
    readonly workflowBundle: string;
  }
}

export async function setup(project: TestProject): Promise<void> {
  const path = await workflowBundle(bundleFolder(''), {}, quietLog().log);
  project.provide('workflowBundle', path);
}
