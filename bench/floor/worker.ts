/** A bare worker as its own process, like ours: `worker.ts <address>`. Tells its parent when it is ready and when an activity ran. */
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { type FloorActivities, floorQueue } from './activities.ts';

const [, , address = ''] = process.argv;
const tell = (message: 'ready' | { readonly firedAt: number }): void => void process.send?.(message);

Runtime.install({ logger: new DefaultLogger('ERROR') });
const connection = await NativeConnection.connect({ address });
const workflowBundle = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)),
  logger: new DefaultLogger('ERROR'),
});
const activities: FloorActivities = {
  nothing: () => Promise.resolve(),
  fired: () => {
    tell({ firedAt: Date.now() });
    return Promise.resolve();
  },
};
const worker = await Worker.create({ connection, taskQueue: floorQueue, activities, workflowBundle });
process.on('disconnect', () => process.exit(0));
const running = worker.run();
tell('ready');
await running;
await connection.close();
