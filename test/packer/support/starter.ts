/** A process that starts a supervised run and then waits to be killed: `node starter.ts <folder> <spec as JSON>`. */
import { start } from '../../../src/packer/supervisor/supervisor.ts';

const [folder = '', spec = ''] = process.argv.slice(2);
await start(folder, JSON.parse(spec));
process.stdout.write('started\n');
setInterval(() => undefined, 1_000);
