/** The entry of the command line. */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Halves the time to start, and `resolve` runs in every pipeline. Only inside the installation: nobody else may write there.
// Where it cannot be written (a container's image) nothing is lost but that.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/bakehouse/compile', import.meta.url)));
const { run } = await import('./run.ts');
process.exitCode = await run(process.argv);
