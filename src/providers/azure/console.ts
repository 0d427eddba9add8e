/** The serial console, from boot diagnostics with managed storage. */
import { get } from 'node:https';
import type { Account } from './clients.ts';
import { call, callOrAbsent } from './errors.ts';
import { lookedAgain } from './lro.ts';
import { machineName } from './names.ts';

const newestBytes = 256 * 1024;
const downloadMs = 30_000;

/** Empty for a machine that is not there or has printed nothing yet. */
export async function readConsole(account: Account, group: string): Promise<string> {
  const what = `read the console of ${group}`;
  const data = await lookedAgain(account, () =>
    callOrAbsent(what, () => account.compute.virtualMachines.retrieveBootDiagnosticsData(group, machineName)),
  );
  const uri = data?.serialConsoleLogBlobUri;
  if (uri === undefined || uri === '') return '';
  const bytes = await call(what, () => download(uri, account.ca));
  return bytes.subarray(-newestBytes).toString('utf8');
}

/** The address is signed and short-lived: our own token must not be sent there. A log that is not there yet is empty. */
function download(uri: string, ca: string | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = get(uri, { ...(ca === undefined ? {} : { ca }), timeout: downloadMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        if (status === 200) resolve(Buffer.concat(chunks));
        else if (status === 404) resolve(Buffer.alloc(0));
        else
          reject(
            Object.assign(new Error(`the console's storage answered ${status}`), { statusCode: status }),
          );
      });
    });
    request.on('timeout', () =>
      request.destroy(new Error(`the console's storage did not answer within ${downloadMs} ms`)),
    );
    request.on('error', reject);
  });
}
