import { Connection, Client, WorkflowFailedError } from '@temporalio/client';
import { startWorkflow } from '../../src/temporal/start-workflow.ts';
import type { DemoRun } from './run.ts';
import type { System } from './system.ts';

/**
 * What an operator can do in the Temporal UI: start `testLaunch` with a typed input. For a revoked version it must be refused, because
 * the provider does not launch a disabled image, and for no other reason. Answers the refusal.
 */
export async function launchByHand(
  run: DemoRun,
  system: System,
  bucket: string,
  version: string,
): Promise<string> {
  const connection = await Connection.connect({ address: system.temporalAddress });
  try {
    run.say(`somebody types into the Temporal UI: testLaunch {"bucket":"${bucket}","version":"${version}"}`);
    const handle = await startWorkflow(
      new Client({ connection }),
      'testLaunch',
      { bucket, version },
      `typed-by-hand-${bucket}-${version}`,
    );
    await handle.result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const message = error.cause?.message ?? error.message;
    if (!/ is disabled\b/.test(message))
      throw new Error(`${bucket} ${version} was not launched, and not because it is disabled: ${message}`, {
        cause: error,
      });
    run.seen(`refused: ${message}`);
    return `launch of ${bucket} ${version}: ${message}`;
  } finally {
    await connection.close();
  }
  throw new Error(`${bucket} ${version} is revoked and could be launched`);
}
