/** https://learn.microsoft.com/rest/api/compute/virtual-machines/retrieve-boot-diagnostics-data: addresses of blobs, good for a while. */
import { createHmac, randomBytes } from 'node:crypto';
import type { RetrieveBootDiagnosticsDataResult } from '@azure/arm-compute';
import type { Cloud } from '../cloud.ts';
import type { Call, Route } from '../routes.ts';
import { ArmError } from '../wire.ts';
import type { Reply } from '../wire.ts';
import { machineOf } from './machine.ts';
import { acted, vmPath } from './vm-actions.ts';

const secret = randomBytes(32);

const sign = (id: string, expiry: string): string =>
  createHmac('sha256', secret).update(`${id}\n${expiry}`).digest('base64url');

function retrieve(call: Call): Reply {
  const { resource } = acted(call);
  if (resource.properties.diagnosticsProfile?.bootDiagnostics?.enabled !== true)
    throw new ArmError(
      409,
      'OperationNotAllowed',
      `Boot diagnostics is not enabled for the VM '${resource.name}'.`,
    );
  const minutes = Number(call.query.get('sasUriExpirationTimeInMinutes') ?? 120);
  const expiry = new Date(Date.now() + minutes * 60_000).toISOString();
  const query = new URLSearchParams({ vm: resource.id, se: expiry, sp: 'r', sig: sign(resource.id, expiry) });
  const body: RetrieveBootDiagnosticsDataResult = {
    consoleScreenshotBlobUri: `${call.cloud.endpoint}/blobs/${resource.name}.screenshot.bmp?${query}`,
    serialConsoleLogBlobUri: `${call.cloud.endpoint}/blobs/${resource.name}.serialconsole.log?${query}`,
  };
  return { status: 200, body };
}

/** `GET /blobs/…`, without a token: whoever has the address may read. */
export function readBlob(cloud: Cloud, url: URL): Reply {
  const [id = '', expiry = '', signature] = ['vm', 'se', 'sig'].map(
    (name) => url.searchParams.get(name) ?? '',
  );
  if (signature !== sign(id, expiry) || Date.parse(expiry) < Date.now())
    return { status: 403, body: 'AuthenticationFailed: Signature not valid in the specified time frame.' };
  if (cloud.find(id) === undefined)
    return { status: 404, body: 'BlobNotFound: The specified blob does not exist.' };
  return { status: 200, body: url.pathname.endsWith('.log') ? machineOf(cloud, id).console : 'BM' };
}

export const bootDiagnosticsRoutes: readonly Route[] = [
  { method: 'POST', path: `${vmPath}/retrieveBootDiagnosticsData`, handle: retrieve },
];
